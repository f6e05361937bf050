// @ts-check
/** What a page took, what read it, and how sure it is; the foot of the page. */

import { element, find, within } from "./elements.js";

/** @typedef {import("./results.js").Page} Page */

/**
 * Show the facts about a page.
 * @param {Page} page
 * @param {number | null} seconds From sending the file to having the answer; null if it has several pages.
 */
export function showDetails(page, seconds) {
  const entries = Object.entries(page.milliseconds);
  const most = Math.max(...entries.map(([, ms]) => ms));
  find("stages", HTMLTableSectionElement).replaceChildren(
    ...entries.map(([stage, ms]) => row(stage, ms, bar(ms / most), readerOf(page, stage))));
  const all = entries.reduce((sum, [, ms]) => sum + ms, 0);
  const foot = within(find("details", HTMLDetailsElement), "tfoot", HTMLTableSectionElement);
  foot.replaceChildren(row("all stages", all, "", ""));
  if (seconds !== null) foot.append(row("with sending and waiting", seconds * 1000, "", ""));
  find("facts", HTMLDListElement).replaceChildren(...facts(page));
}

/**
 * @param {string} stage
 * @param {number} ms
 * @param {Node | string} chart
 * @param {string} reader
 */
function row(stage, ms, chart, reader) {
  return element("tr", {}, element("th", { scope: "row" }, stage), element("td", {}, ms.toFixed(1)),
    element("td", { class: "chart" }, chart), element("td", { class: "words" }, reader));
}

/** @param {number} part From 0 to 1. */
function bar(part) {
  const made = element("div", { class: "share" });
  made.style.width = `${(100 * part).toFixed(1)}%`;
  return made;
}

/**
 * Return the execution provider of a stage, and the precision of its graph where there are several.
 * @param {Page} page
 * @param {string} stage
 */
function readerOf(page, stage) {
  return [page.providers[stage], page.variants?.[stage]].filter(Boolean).join(", ");
}

/** @param {Page} page */
function facts(page) {
  const scores = page.lines.map((line) => line.score);
  const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  const told = [["Picture", `${page.width} × ${page.height} pixels`]];
  if (page.rotation) told.push(["Text", `upright when the picture is turned by ${page.rotation}° clockwise`]);
  if (scores.length) {
    told.push(["Scores", `mean ${mean.toFixed(3)}, lowest ${Math.min(...scores).toFixed(3)}`]);
  }
  return told.flatMap(([term, value]) => [element("dt", {}, term), element("dd", {}, value)]);
}
