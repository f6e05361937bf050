// @ts-check
/** The list of a page's lines. */

import { element, find, icon, moveWithArrows, scrollTo } from "./elements.js";
import { beginnings, counted } from "./results.js";

/** @typedef {import("./results.js").Page} Page */
/** @typedef {import("./results.js").Line} Line */

/** Below it, a reading is often wrong. */
const DOUBTFUL = 0.8;
const list = find("lines", HTMLOListElement);

/** Shows the texts of one page. */
export class Lines {
  /**
   * @param {(index: number | null) => void} point Called with the line below the pointer.
   * @param {(index: number) => void} select Called with the line that was focused or tapped.
   * @param {(index: number, button: HTMLButtonElement) => void} copy Called with the line to copy.
   */
  constructor(point, select, copy) {
    list.addEventListener("pointerover", (event) => {
      if (event.pointerType !== "touch") point(indexAt(event));
    });
    list.addEventListener("pointerleave", () => point(null));
    list.addEventListener("focusin", (event) => {
      const index = indexAt(event);
      if (index !== null) select(index);
    });
    list.addEventListener("click", (event) => {
      const index = indexAt(event);
      if (index === null || !(event.target instanceof Element)) return;
      const button = event.target.closest("button.copy");
      if (button instanceof HTMLButtonElement) copy(index, button);
      else select(index);
    });
    moveWithArrows(list, (index) => buttonOf(index), () => list.children.length);
  }

  /** @param {Page} page */
  show(page) {
    const begin = beginnings(page);
    list.replaceChildren(...page.lines.map((line, index) => entry(line, index, begin.has(index))));
    list.scrollTop = 0;
    list.hidden = page.lines.length === 0;
    find("no-lines", HTMLElement).hidden = page.lines.length > 0;
    find("count", HTMLElement).textContent = counted(page.lines.length, "line");
  }

  /**
   * Highlight a line.
   * @param {number | null} index
   */
  highlight(index) {
    list.querySelector(".is-current")?.classList.remove("is-current");
    if (index !== null) list.children[index]?.classList.add("is-current");
  }

  /**
   * Scroll the list to a line, where the list scrolls by itself.
   * @param {number | null} index
   */
  reveal(index) {
    const found = index === null ? undefined : list.children[index];
    if (found) scrollTo(list, found);
  }

  /**
   * Make a line the one that the Tab key leads to.
   * @param {number} index
   */
  select(index) {
    for (const button of list.querySelectorAll("button")) {
      const isChosen = Number(button.closest("li")?.dataset.index) === index;
      button.tabIndex = isChosen ? 0 : -1;
    }
  }
}

/**
 * @param {Line} line
 * @param {number} index
 * @param {boolean} begins Whether a block begins with it.
 */
function entry(line, index, begins) {
  const tabindex = index ? "-1" : "0";
  const said = element("button", { type: "button", class: "said", dir: "auto", tabindex }, line.text);
  const score = element("span", { class: line.score < DOUBTFUL ? "score is-doubtful" : "score",
    title: line.score < DOUBTFUL ? "Score: doubtful" : "Score" }, line.score.toFixed(2));
  const copy = element("button", { type: "button", class: "copy quiet icon-only", tabindex,
    "aria-label": `Copy line ${index + 1}` }, icon("copy"));
  return element("li", { "data-index": String(index), ...(begins ? { class: "begins" } : {}) }, said, score, copy);
}

/** @param {number} index */
function buttonOf(index) {
  const button = list.children[index]?.querySelector("button.said");
  return button instanceof HTMLButtonElement ? button : undefined;
}

/** @param {Event} event */
function indexAt(event) {
  const found = event.target instanceof Element ? event.target.closest("li") : null;
  return found === null ? null : Number(found.dataset.index);
}
