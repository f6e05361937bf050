// @ts-check
/** Finding and making elements. Texts become text nodes, so markup in them has no effect. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * Return the element of index.html with an id.
 * @template {Element} T
 * @param {string} id
 * @param {new () => T} kind The class that the element has.
 * @returns {T}
 */
export function find(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new TypeError(`index.html has no ${kind.name} #${id}`);
  return found;
}

/**
 * Return the first element within another one that a selector matches.
 * @template {Element} T
 * @param {Element} parent
 * @param {string} selector
 * @param {new () => T} kind The class that the element has.
 * @returns {T}
 */
export function within(parent, selector, kind) {
  const found = parent.querySelector(selector);
  if (!(found instanceof kind)) throw new TypeError(`no ${kind.name} matches ${selector}`);
  return found;
}

/**
 * Make an HTML element.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/**
 * Make an SVG element.
 * @template {keyof SVGElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string>} [attributes]
 * @param {...(Node | string)} children
 * @returns {SVGElementTagNameMap[K]}
 */
export function drawn(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/**
 * Make one of the icons that index.html defines.
 * @param {string} name The symbol's id without "icon-".
 */
export function icon(name) {
  return drawn("svg", { class: "icon", "aria-hidden": "true" }, drawn("use", { href: `#icon-${name}` }));
}

/**
 * Let the arrow keys, Home and End move the focus among elements of which one is a tab stop.
 * @param {Element} root The element around them.
 * @param {(index: number) => HTMLElement | SVGElement | undefined} at Returns the element of an index.
 * @param {() => number} count Returns the number of elements.
 */
export function moveWithArrows(root, at, count) {
  root.addEventListener("keydown", (event) => {
    if (!(event instanceof KeyboardEvent) || !(event.target instanceof Element)) return;
    const index = Number(event.target.closest("[data-index]")?.getAttribute("data-index") ?? -1);
    const aim = { ArrowDown: index + 1, ArrowRight: index + 1, ArrowUp: index - 1, ArrowLeft: index - 1,
      Home: 0, End: count() - 1 }[event.key];
    const next = index < 0 || aim === undefined ? undefined : at(aim);
    if (next === undefined) return;
    event.preventDefault();
    next.focus();
  });
}

/**
 * Scroll a box until an element in it is in sight; the page itself stays where it is.
 * @param {Element} box
 * @param {Element} target
 */
export function scrollTo(box, target) {
  const [own, whole] = [target.getBoundingClientRect(), box.getBoundingClientRect()];
  if (own.top < whole.top) box.scrollTop += own.top - whole.top;
  else if (own.bottom > whole.bottom) box.scrollTop += own.bottom - whole.bottom;
  if (own.left < whole.left) box.scrollLeft += own.left - whole.left;
  else if (own.right > whole.right) box.scrollLeft += own.right - whole.right;
}
