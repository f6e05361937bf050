// @ts-check
/** The text of a line beside its outline. */

import { find, within } from "./elements.js";

const GAP = 8;
const tip = find("tip", HTMLElement);

/**
 * Show a line's text above an element, or below it where there is no room.
 * @param {Element} target
 * @param {{text: string, score: number}} line
 */
export function showTip(target, line) {
  within(tip, ".said", HTMLElement).textContent = line.text;
  within(tip, ".score", HTMLElement).textContent = line.score.toFixed(2);
  tip.hidden = false;
  const around = target.getBoundingClientRect();
  const own = tip.getBoundingClientRect();
  const { clientWidth, clientHeight } = document.documentElement;
  const middle = around.left + around.width / 2 - own.width / 2;
  const above = around.top - own.height - GAP;
  const top = above >= GAP ? above : Math.min(around.bottom + GAP, clientHeight - own.height - GAP);
  tip.style.left = `${Math.max(GAP, Math.min(middle, clientWidth - own.width - GAP))}px`;
  tip.style.top = `${Math.max(GAP, top)}px`;
}

export function hideTip() {
  tip.hidden = true;
}
