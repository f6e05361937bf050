// @ts-check
/** What the service answers, and what follows from it alone. */

/** @typedef {[number, number]} Point x and y in pixels of the picture */
/** @typedef {{text: string, score: number, quad: Point[]}} Word */
/** @typedef {{text: string, score: number, quad: Point[], polygon?: Point[], words?: Word[]}} Line */
/**
 * A picture that was read, as `Page.to_dict` returns it.
 * @typedef {object} Page
 * @property {string} source
 * @property {number} width
 * @property {number} height
 * @property {Line[]} lines
 * @property {{lines: number[], quad: Point[]}[]} blocks
 * @property {Record<string, number>} milliseconds
 * @property {Record<string, string>} providers
 * @property {Record<string, string>} [variants]
 * @property {number} rotation
 * @property {number} frames
 */
/** @typedef {{source: string, error: string}} Failure A page of a file that could not be read */

/**
 * Return the pages of an answer: one page is an object, several ones are a list.
 * @param {Page | Failure | (Page | Failure)[]} answer
 * @returns {(Page | Failure)[]}
 */
export function pagesOf(answer) {
  return Array.isArray(answer) ? answer : [answer];
}

/**
 * Tell whether a page could not be read.
 * @param {Page | Failure} page
 * @returns {page is Failure}
 */
export function hasFailed(page) {
  return "error" in page;
}

/**
 * Return the text of a page as `edgeocr read` prints it: an empty line stands between two blocks.
 * @param {Page} page
 */
export function textOf(page) {
  const blocks = page.blocks.length ? page.blocks.map((block) => block.lines) : [page.lines.keys()];
  return blocks.map((block) => Array.from(block, (i) => page.lines[i].text).join("\n")).join("\n\n");
}

/**
 * Return the indices of the lines before which a new block begins, without the first line.
 * @param {Page} page
 */
export function beginnings(page) {
  return new Set(page.blocks.slice(1).map((block) => block.lines[0]));
}

/**
 * Return the outline of a line: its polygon where it has one, else its quad.
 * @param {Line} line
 */
export function outlineOf(line) {
  return line.polygon ?? line.quad;
}

/**
 * Tell whether a picture, as the browser shows it, has the shape of the page that was read. It has not
 * where the browser turns a picture that the service doesn't turn, or the other way round.
 * @param {{naturalWidth: number, naturalHeight: number}} picture
 * @param {Page} page
 */
export function hasShapeOf(picture, page) {
  const { naturalWidth: width, naturalHeight: height } = picture;
  // Within a pixel: one of the two may have been made smaller.
  const excess = Math.abs(width * page.height - height * page.width);
  return excess <= Math.max(width, height, page.width, page.height);
}

/**
 * Return "1 line" or "2 lines".
 * @param {number} count
 * @param {string} noun
 */
export function counted(count, noun) {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
