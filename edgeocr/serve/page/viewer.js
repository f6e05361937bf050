// @ts-check
/** The picture of a sheet with the outlines of its lines. */

import { element, find, moveWithArrows, scrollTo, within } from "./elements.js";
import { outlines } from "./outlines.js";
import { hasShapeOf } from "./results.js";
import { hideTip, showTip } from "./tip.js";

/** @typedef {import("./results.js").Page} Page */

const ZOOMS = [1, 1.5, 2, 3, 4, 6];

/** Shows one picture at a time. */
export class Viewer {
  #stage = find("stage", HTMLElement);
  #zoom = 0;
  /** Counts what is shown: a picture that loads late is dropped. */
  #turn = 0;
  /** @type {Page | null} */
  #page = null;
  /** The picture of the file that is shown, which is loaded once. @type {{url: string, picture: Promise<HTMLImageElement | null>}} */
  #loaded = { url: "", picture: Promise.resolve(null) };

  /**
   * @param {(index: number | null) => void} point Called with the line below the pointer.
   * @param {(index: number | null) => void} select Called with the line that was focused or tapped;
   *   null if it was the picture beside the lines.
   */
  constructor(point, select) {
    this.#stage.addEventListener("pointerover", (event) => {
      if (event.pointerType !== "touch") point(indexAt(event));
    });
    this.#stage.addEventListener("pointerleave", () => point(null));
    for (const kind of ["focusin", "click"]) {
      this.#stage.addEventListener(kind, (event) => select(indexAt(event)));
    }
    moveWithArrows(this.#stage, (index) => this.#line(index) ?? undefined, () => this.#page?.lines.length ?? 0);
    for (const [id, step] of /** @type {const} */ ([["smaller", -1], ["larger", 1]])) {
      find(id, HTMLButtonElement).addEventListener("click", () => this.#zoomTo(this.#zoom + step));
    }
    this.#zoomTo(0);
  }

  /**
   * Show a picture, and what was read in it.
   * @param {string} url Where its content is.
   * @param {string} name
   * @param {Page | null} page None while it is being read.
   */
  async show(url, name, page) {
    const turn = ++this.#turn;
    this.#stage.setAttribute("aria-busy", "true");
    if (this.#loaded.url !== url) {
      this.#loaded = { url, picture: load(url, name) };
      this.#zoomTo(0);
    }
    const loaded = await this.#loaded.picture;
    if (turn !== this.#turn) return;
    // The browser shows no more than one page of a file.
    const picture = page && page.frames > 1 ? null : loaded;
    hideTip();
    this.#page = page;
    const fits = picture !== null && (page === null || hasShapeOf(picture, page));
    find("why-no-picture", HTMLElement).hidden = fits || page === null;
    const sheet = element("div", { class: fits ? "sheet" : "sheet is-empty" });
    const width = page?.width ?? picture?.naturalWidth ?? 210;
    const height = page?.height ?? picture?.naturalHeight ?? 297;
    sheet.style.setProperty("--ratio", String(width / height));
    if (picture && fits) sheet.append(picture);
    if (page) sheet.append(outlines(page, !fits));
    within(this.#stage, ".sheet", HTMLElement).replaceWith(sheet);
    this.#stage.setAttribute("aria-busy", "false");
  }

  /**
   * Highlight a line, and show its text.
   * @param {number | null} index
   */
  highlight(index) {
    for (const line of this.#stage.querySelectorAll("g.is-current")) line.classList.remove("is-current");
    const line = this.#line(index);
    if (index === null || !line || !this.#page) {
      hideTip();
      return;
    }
    line.classList.add("is-current");
    if (overlap(line, this.#stage)) showTip(within(line, ".around", SVGPolygonElement), this.#page.lines[index]);
    else hideTip();
  }

  /**
   * Scroll a picture that was made larger to a line.
   * @param {number | null} index
   */
  reveal(index) {
    const line = this.#line(index);
    if (line) scrollTo(this.#stage, line);
  }

  /**
   * Make a line the one that the Tab key leads to.
   * @param {number} index
   */
  select(index) {
    for (const line of this.#stage.querySelectorAll("g.line")) {
      line.setAttribute("tabindex", line === this.#line(index) ? "0" : "-1");
    }
  }

  /** @param {number | null} index */
  #line(index) {
    return this.#stage.querySelector(`g[data-index="${index}"]`) instanceof SVGGElement
      ? within(this.#stage, `g[data-index="${index}"]`, SVGGElement) : null;
  }

  /** @param {number} step */
  #zoomTo(step) {
    this.#zoom = Math.max(0, Math.min(step, ZOOMS.length - 1));
    const stage = this.#stage;
    // What is in the middle stays there.
    const x = (stage.scrollLeft + stage.clientWidth / 2) / stage.scrollWidth;
    const y = (stage.scrollTop + stage.clientHeight / 2) / stage.scrollHeight;
    stage.style.setProperty("--zoom", String(ZOOMS[this.#zoom]));
    stage.scrollLeft = x * stage.scrollWidth - stage.clientWidth / 2;
    stage.scrollTop = y * stage.scrollHeight - stage.clientHeight / 2;
    hideTip();
    find("zoom", HTMLOutputElement).textContent = `${ZOOMS[this.#zoom] * 100} %`;
    find("smaller", HTMLButtonElement).disabled = this.#zoom === 0;
    find("larger", HTMLButtonElement).disabled = this.#zoom === ZOOMS.length - 1;
  }
}

/** @param {Event} event */
function indexAt(event) {
  const line = event.target instanceof Element ? event.target.closest("g.line") : null;
  return line === null ? null : Number(line.getAttribute("data-index"));
}

/**
 * Tell whether something of an element is in sight within another one.
 * @param {Element} part
 * @param {Element} whole
 */
function overlap(part, whole) {
  const [inner, outer] = [part.getBoundingClientRect(), whole.getBoundingClientRect()];
  return inner.left < outer.right && inner.right > outer.left && inner.top < outer.bottom && inner.bottom > outer.top;
}

/**
 * Load a picture, upright by its EXIF data as the service takes it.
 * @param {string} url
 * @param {string} name
 * @returns {Promise<HTMLImageElement | null>} None if the browser can't show it.
 */
function load(url, name) {
  return new Promise((resolve) => {
    const picture = element("img", { alt: `The picture ${name}` });
    picture.addEventListener("load", () => resolve(picture.naturalWidth ? picture : null));
    picture.addEventListener("error", () => resolve(null));
    picture.src = url;
  });
}
