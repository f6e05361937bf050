// @ts-check
/** The lines of a page as outlines over its picture, or as texts on an empty sheet. */

import { drawn } from "./elements.js";
import { outlineOf } from "./results.js";

/** @typedef {import("./results.js").Line} Line */
/** @typedef {import("./results.js").Page} Page */
/** @typedef {import("./results.js").Point} Point */

/** A quad this many times as high as wide holds text that runs down, as the service takes it. */
const TALL = 1.5;

/**
 * Draw a page's lines in the picture's own pixels: the browser stretches the drawing to the picture.
 * @param {Page} page
 * @param {boolean} withTexts Whether the texts stand in the outlines.
 */
export function outlines(page, withTexts) {
  return drawn(
    "svg",
    { class: "outlines", viewBox: `0 0 ${page.width} ${page.height}`, preserveAspectRatio: "none",
      role: "group", "aria-label": "Lines in the picture" },
    ...page.lines.map((line, index) => outline(line, index, withTexts)),
  );
}

/**
 * @param {Line} line
 * @param {number} index
 * @param {boolean} withText
 */
function outline(line, index, withText) {
  const group = drawn("g", { class: "line", "data-index": String(index), role: "button",
    tabindex: index ? "-1" : "0", "aria-label": `Line ${index + 1}: ${line.text}` });
  group.append(polygon("around", outlineOf(line)));
  for (const word of line.words ?? []) group.append(polygon("word", word.quad));
  if (withText) group.append(text(line));
  return group;
}

/**
 * @param {string} kind
 * @param {Point[]} points
 */
function polygon(kind, points) {
  return drawn("polygon", { class: kind, points: points.map((point) => point.join(",")).join(" ") });
}

/**
 * Make a text that fills its quad. It runs along the upper edge; in a tall quad it runs down.
 * @param {Line} line
 */
function text({ text: said, quad }) {
  const [[left, top], [right, bottom]] = quad;
  const across = (distance(quad[0], quad[1]) + distance(quad[3], quad[2])) / 2;
  const down = (distance(quad[0], quad[3]) + distance(quad[1], quad[2])) / 2;
  const runsDown = down >= TALL * across && said.length > 1;
  const [length, height] = runsDown ? [down, across] : [across, down];
  const x = quad.reduce((sum, point) => sum + point[0], 0) / 4;
  const y = quad.reduce((sum, point) => sum + point[1], 0) / 4;
  const degrees = (Math.atan2(bottom - top, right - left) * 180) / Math.PI + (runsDown ? 90 : 0);
  return drawn("text", { class: "said", "text-anchor": "middle", "font-size": String(height * 0.72),
    // The baseline lies about a quarter of the letters' size below the middle.
    dy: String(height * 0.25), lengthAdjust: "spacingAndGlyphs", textLength: String(length * 0.97),
    transform: `translate(${x} ${y}) rotate(${degrees})` }, said);
}

/**
 * @param {Point} from
 * @param {Point} to
 */
function distance(from, to) {
  return Math.hypot(to[0] - from[0], to[1] - from[1]);
}
