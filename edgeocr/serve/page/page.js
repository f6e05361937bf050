// @ts-check
/** The page of `edgeocr serve`: joins what comes in, the service, and what is shown. */

import { explain, explainPage } from "./advice.js";
import { begin, end, say } from "./busy.js";
import { showDetails } from "./details.js";
import { element, find, icon, within } from "./elements.js";
import { FORMATS, copy, documentName, save } from "./export.js";
import { showFoot } from "./foot.js";
import { accept } from "./intake.js";
import { Lines } from "./lines.js";
import { Queue, nameOf } from "./queue.js";
import { counted, hasFailed, textOf } from "./results.js";
import { ServiceError, patiently, read } from "./service.js";
import { showStrip } from "./strip.js";
import { askForToken } from "./token.js";
import { Viewer } from "./viewer.js";

/** @typedef {import("./queue.js").Item} Item */
/** @typedef {import("./queue.js").Sheet} Sheet */
/** @typedef {import("./results.js").Page} Page */

const together = find("together", HTMLInputElement);
const queue = new Queue(readItem, render);
/** The sheet that is shown. @type {Sheet | null} */
let chosen = null;
/** The line that was tapped or focused. @type {number | null} */
let selected = null;
/** The line that is highlighted: the one below the pointer, else the selected one. @type {number | null} */
let shown = null;

const viewer = new Viewer(
  (index) => lines.reveal(point(index)),
  (index) => lines.reveal(select(index)),
);
const lines = new Lines(
  (index) => viewer.reveal(point(index)),
  (index) => viewer.reveal(select(index)),
  copyLine,
);

/** @returns {import("./service.js").Options} */
function options() {
  return { words: find("words", HTMLInputElement).checked, shape: find("shape", HTMLSelectElement).value };
}

// ---- Asking the service

/**
 * Send a request, wait while the service is busy, and ask for a token where it wants one.
 * @param {File[]} files
 * @param {string} format
 * @param {import("./busy.js").Activity} activity
 * @param {AbortSignal} signal
 * @returns {Promise<Response>}
 */
async function ask(files, format, activity, signal) {
  const { said } = activity;
  const waiting = (/** @type {number} */ seconds) => say(activity, `The service is busy: trying again in ${seconds} s`);
  for (;;) {
    try {
      return await patiently(() => {
        say(activity, said);
        return read(files, format, options(), signal);
      }, signal, waiting);
    } catch (error) {
      if (!(error instanceof ServiceError) || error.status !== 401) throw error;
      if (!(await askForToken())) throw error;
      showFoot();
    }
  }
}

/**
 * @param {Item} item
 * @param {AbortSignal} signal
 */
async function readItem(item, signal) {
  const total = queue.items.length;
  const place = queue.items.indexOf(item);
  const said = total > 1 ? `Reading ${item.file.name}, ${place + 1} of ${total}` : `Reading ${item.file.name}`;
  const activity = begin(said, () => queue.cancel(), total > 1 ? place / total : null);
  try {
    return await ask([item.file], "json", activity, signal);
  } finally {
    end(activity);
  }
}

/**
 * Save what the service makes of the shown file, or of all files together.
 * @param {typeof FORMATS[number]} format
 */
async function saveAs(format) {
  if (!chosen) return;
  const all = together.checked && !together.disabled;
  const { item } = chosen;
  const name = documentName(all ? "texts" : item.file.name, format.ending);
  if (format.name === "json" && !all && item.answer) {
    save(item.answer, name);
    return;
  }
  const controller = new AbortController();
  const activity = begin(`Making ${name}`, () => controller.abort());
  try {
    const files = all ? queue.items.map((each) => each.file) : [item.file];
    const response = await ask(files, format.name, activity, controller.signal);
    save(await response.blob(), name);
    announce(`${name} is saved`);
  } catch (error) {
    if (!controller.signal.aborted) complain(`${name} was not made. ${inWords(error)}`);
  } finally {
    end(activity);
  }
}

/** @param {unknown} error */
function inWords(error) {
  const { message, advice } = explain(error);
  return `${message} ${advice}`.trim();
}

// ---- Telling

/** @param {string} message */
function announce(message) {
  find("status", HTMLElement).textContent = message;
}

/** @param {string} message Nothing to hide what was told. */
function complain(message) {
  const notice = find("notice", HTMLElement);
  within(notice, "span", HTMLElement).textContent = message;
  notice.hidden = message === "";
}

// ---- Showing

/** Show the state of all files, and of the chosen sheet. */
function render() {
  const { sheets } = queue;
  const before = chosen;
  chosen = sheets.find((each) => each.item === before?.item && each.number === before.number)
    ?? sheets.find((each) => each.item === before?.item) ?? sheets[0] ?? null;
  document.body.classList.toggle("is-empty", sheets.length === 0);
  showStrip(sheets, chosen, choose);
  const files = queue.items.filter((item) => item.state === "read").length;
  together.disabled = queue.items.length < 2 || files < queue.items.length;
  find("together-label", HTMLElement).hidden = together.disabled;
  within(find("together-label", HTMLElement), "span", HTMLElement).textContent = `all ${files} files in one document`;
  if (chosen?.item !== before?.item || chosen?.page !== before?.page || !chosen?.page) showSheet();
}

/**
 * @param {Item} item
 * @param {number} number
 */
function choose(item, number) {
  chosen = { item, number, page: item.pages[number] ?? null };
  showStrip(queue.sheets, chosen, choose);
  showSheet();
}

/** Show the chosen sheet: its result, why there is none, or that it is being read. */
function showSheet() {
  selected = shown = null;
  const failure = chosen && failureOf(chosen);
  find("problem", HTMLElement).hidden = !failure;
  find("result", HTMLElement).hidden = !chosen || Boolean(failure);
  if (!chosen) return;
  if (failure) {
    showProblem(failure);
    return;
  }
  const page = chosen.page && !hasFailed(chosen.page) ? chosen.page : null;
  find("name", HTMLElement).textContent = nameOf(chosen);
  find("text", HTMLElement).classList.toggle("is-waiting", page === null);
  viewer.show(chosen.item.url, nameOf(chosen), page);
  if (page === null) {
    find("count", HTMLElement).textContent = chosen.item.state === "waiting" ? "Waiting …" : "Reading …";
    return;
  }
  lines.show(page);
  showDetails(page, chosen.item.pages.length > 1 ? null : chosen.item.seconds);
  announce(`${nameOf(chosen)}: ${counted(page.lines.length, "line")}`);
}

/**
 * @param {Sheet} sheet
 * @returns {import("./advice.js").Explanation | null}
 */
function failureOf({ item, page }) {
  if (item.state === "failed") return explain(item.error);
  return page && hasFailed(page) ? explainPage(page.error) : null;
}

/** @param {import("./advice.js").Explanation} explanation */
function showProblem({ title, message, advice }) {
  const problem = find("problem", HTMLElement);
  within(problem, ".name", HTMLElement).textContent = chosen && nameOf(chosen);
  within(problem, "h2", HTMLElement).textContent = title;
  within(problem, ".message", HTMLElement).textContent = message;
  within(problem, ".advice", HTMLElement).textContent = advice;
}

/**
 * Highlight the line below the pointer, or the selected one where there is none.
 * @param {number | null} index
 */
function point(index) {
  shown = index ?? selected;
  viewer.highlight(shown);
  lines.highlight(shown);
  return index;
}

/**
 * Select the line that was tapped or focused; null for what is no line.
 * @param {number | null} index
 */
function select(index) {
  selected = index;
  if (index !== null) {
    viewer.select(index);
    lines.select(index);
  }
  return point(index);
}

// ---- Copying

/** @returns {Page | null} */
function shownPage() {
  return chosen?.page && !hasFailed(chosen.page) ? chosen.page : null;
}

/**
 * @param {number} index
 * @param {HTMLButtonElement} button
 */
function copyLine(index, button) {
  const line = shownPage()?.lines[index];
  if (line) copyText(line.text, `Line ${index + 1} is copied`, button);
}

/**
 * @param {string} text
 * @param {string} done What to say then.
 * @param {HTMLButtonElement} button Shows a tick for a moment.
 */
async function copyText(text, done, button) {
  if (!(await copy(text))) {
    complain("The browser does not let this page copy. Select the text and copy it with the keyboard.");
    return;
  }
  announce(done);
  const before = within(button, ".icon", SVGElement);
  if (button.classList.contains("is-done")) return;
  const tick = icon("done");
  before.replaceWith(tick);
  button.classList.add("is-done");
  setTimeout(() => {
    tick.replaceWith(before);
    button.classList.remove("is-done");
  }, 1500);
}

// ---- What the user does

accept((files) => {
  complain("");
  const first = queue.items.length;
  queue.add(files);
  chosen = { item: queue.items[first], number: 0, page: null };
  queue.run();
}, complain);

find("formats", HTMLElement).append(...FORMATS.map((format) => {
  const button = element("button", { type: "button", "data-format": format.name }, format.title);
  button.addEventListener("click", () => saveAs(format));
  return button;
}));
find("copy", HTMLButtonElement).addEventListener("click", (event) => {
  const page = shownPage();
  if (page && event.currentTarget instanceof HTMLButtonElement) {
    copyText(textOf(page), "The text is copied", event.currentTarget);
  }
});
for (const id of ["words", "shape"]) {
  find(id, HTMLElement).addEventListener("change", () => queue.again(queue.items));
}
within(find("problem", HTMLElement), "button", HTMLButtonElement).addEventListener("click", () => {
  if (chosen) queue.again([chosen.item]);
});
within(find("notice", HTMLElement), "button", HTMLButtonElement).addEventListener("click", () => complain(""));
find("clear", HTMLButtonElement).addEventListener("click", () => queue.clear());
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  select(null);
});
for (const kind of ["scroll", "resize"]) {
  // The tip stands where the outline was.
  window.addEventListener(kind, () => viewer.highlight(shown), { capture: true, passive: true });
}
showFoot();
