// @ts-check
/** The pictures and pages of this visit, of which one is shown. */

import { element, find, icon, moveWithArrows, within } from "./elements.js";
import { nameOf, stateOf } from "./queue.js";
import { counted } from "./results.js";

/** @typedef {import("./queue.js").Item} Item */
/** @typedef {import("./queue.js").Sheet} Sheet */

const strip = find("strip", HTMLElement);
const list = within(strip, "ul", HTMLUListElement);

/** The entry of a sheet, which stays the same while its state changes, so that its picture is loaded once. */
class Entry {
  /**
   * @param {Sheet} sheet
   * @param {(item: Item, number: number) => void} choose
   */
  constructor(sheet, choose) {
    this.item = sheet.item;
    this.number = sheet.number;
    this.pages = sheet.item.pages.length;
    this.state = element("span", { class: "state soft" });
    this.button = element("button", { type: "button" }, thumbnail(sheet),
      element("span", { class: "name", dir: "auto" }, nameOf(sheet)), this.state);
    this.button.addEventListener("click", () => choose(this.item, this.number));
    this.row = element("li", {}, this.button);
  }

  /** @param {Sheet} sheet */
  belongsTo({ item, number }) {
    return this.item === item && this.number === number && this.pages === item.pages.length;
  }

  /**
   * @param {Sheet} sheet
   * @param {number} index Its place in the strip.
   * @param {boolean} isChosen
   */
  update(sheet, index, isChosen) {
    const state = stateOf(sheet);
    this.state.textContent = typeof state === "number" ? counted(state, "line") : state;
    this.row.dataset.index = String(index);
    this.button.classList.toggle("is-failed", state === "failed");
    this.button.setAttribute("aria-current", String(isChosen));
    this.button.tabIndex = isChosen ? 0 : -1;
  }
}

/** @type {Entry[]} */
let entries = [];

/**
 * Show all sheets, if there is more than one.
 * @param {Sheet[]} sheets
 * @param {Sheet | null} chosen
 * @param {(item: Item, number: number) => void} choose Called with the one that is clicked.
 */
export function showStrip(sheets, chosen, choose) {
  strip.hidden = sheets.length < 2;
  const known = entries;
  entries = sheets.map((sheet) => known.find((each) => each.belongsTo(sheet)) ?? new Entry(sheet, choose));
  if (entries.length !== known.length || entries.some((each, i) => each !== known[i])) {
    list.replaceChildren(...entries.map((each) => each.row));
  }
  sheets.forEach((sheet, index) => {
    const isChosen = sheet.item === chosen?.item && sheet.number === chosen.number;
    entries[index].update(sheet, index, isChosen);
  });
}

/** @param {Sheet} sheet */
function thumbnail({ item, number }) {
  if (item.pages.length > 1) return leaf(String(number + 1));
  const picture = element("img", { alt: "", src: item.url });
  picture.addEventListener("error", () => picture.replaceWith(leaf(icon("page"))));
  return picture;
}

/** @param {string | Node} sign */
function leaf(sign) {
  return element("span", { class: "leaf" }, sign);
}

moveWithArrows(list, (index) => entries[index]?.button, () => entries.length);
