// @ts-check
/** The files of this visit, which are read one after the other. */

import { hasFailed, pagesOf } from "./results.js";

/** @typedef {import("./results.js").Page} Page */
/** @typedef {import("./results.js").Failure} Failure */

/**
 * A file, and what became of it.
 * @typedef {object} Item
 * @property {File} file
 * @property {string} url Where this page finds the file's content.
 * @property {"waiting" | "reading" | "read" | "failed"} state
 * @property {(Page | Failure)[]} pages Its pages, once it was read.
 * @property {Blob | null} answer The JSON that the service answered.
 * @property {unknown} error Why it could not be read; an AbortError if the user cancelled.
 * @property {number} seconds From sending the file to having the answer.
 */

/**
 * What the user can select: a page of a file, or a file whose pages are not known.
 * @typedef {object} Sheet
 * @property {Item} item
 * @property {number} number Its place among the pages of the file, from 0.
 * @property {Page | Failure | null} page
 */

/** Reads files in turn, so that one visitor takes one of the service's places. */
export class Queue {
  /** @type {Item[]} */
  items = [];
  /** @type {AbortController | null} */
  #running = null;

  /**
   * @param {(item: Item, signal: AbortSignal) => Promise<Response>} read Has a file read.
   * @param {() => void} changed Called when the state of a file has changed.
   */
  constructor(read, changed) {
    this.read = read;
    this.changed = changed;
  }

  /** The file that is being read. */
  get current() {
    return this.items.find((item) => item.state === "reading") ?? null;
  }

  /** All that can be selected, in order. @returns {Sheet[]} */
  get sheets() {
    return this.items.flatMap(sheetsOf);
  }

  /**
   * Add files behind those that wait; `run` reads them.
   * @param {File[]} files
   */
  add(files) {
    for (const file of files) {
      this.items.push({ file, url: URL.createObjectURL(file), state: "waiting", pages: [],
        answer: null, error: null, seconds: 0 });
    }
  }

  /**
   * Read files again.
   * @param {Item[]} items
   */
  again(items) {
    if (this.current && items.includes(this.current)) this.#running?.abort();
    for (const item of items) Object.assign(item, { state: "waiting", pages: [], answer: null });
    this.run();
  }

  /** Give up the file that is being read, and those that wait. */
  cancel() {
    for (const item of this.items.filter((each) => each.state === "waiting")) fail(item, cancelled());
    this.#running?.abort();
    this.changed();
  }

  /** Forget all files. */
  clear() {
    this.#running?.abort();
    for (const item of this.items) URL.revokeObjectURL(item.url);
    this.items = [];
    this.changed();
  }

  /** Read all files that wait, unless that is going on already. */
  async run() {
    this.changed();
    while (!this.#running) {
      const item = this.items.find((each) => each.state === "waiting");
      if (!item) return;
      this.#running = new AbortController();
      item.state = "reading";
      this.changed();
      await this.#readItem(item, this.#running.signal);
      this.#running = null;
      this.changed();
    }
  }

  /**
   * @param {Item} item
   * @param {AbortSignal} signal
   */
  async #readItem(item, signal) {
    const start = performance.now();
    try {
      const response = await this.read(item, signal);
      const answer = await response.blob();
      const pages = pagesOf(JSON.parse(await answer.text()));
      if (item.state !== "reading") return;
      Object.assign(item, { answer, pages, error: null, seconds: (performance.now() - start) / 1000 });
      item.state = "read";
    } catch (error) {
      // A file that is to be read again waits already.
      if (item.state === "reading") fail(item, signal.aborted ? cancelled() : error);
    }
  }
}

/**
 * @param {Item} item
 * @returns {Sheet[]}
 */
function sheetsOf(item) {
  if (!item.pages.length) return [{ item, number: 0, page: null }];
  return item.pages.map((page, number) => ({ item, number, page }));
}

/**
 * @param {Item} item
 * @param {unknown} error
 */
function fail(item, error) {
  Object.assign(item, { state: "failed", pages: [], answer: null, error });
}

function cancelled() {
  return new DOMException("cancelled by the user", "AbortError");
}

/**
 * Return what a sheet is called: the file's name, and the page's number if there are several.
 * @param {Sheet} sheet
 */
export function nameOf({ item, number }) {
  return item.pages.length > 1 ? `${item.file.name}, page ${number + 1}` : item.file.name;
}

/**
 * Return what became of a sheet: the number of its lines once it was read.
 * @param {Sheet} sheet
 */
export function stateOf({ item, page }) {
  if (page === null) return item.state;
  return hasFailed(page) ? "failed" : page.lines.length;
}
