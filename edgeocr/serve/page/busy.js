// @ts-check
/** What the service is doing for this page now, for how long, and the button that cancels it. */

import { find } from "./elements.js";

/** @typedef {{said: string, part: number | null, since: number, cancel: () => void}} Activity */

const box = find("busy", HTMLElement);
/** The last one is shown. @type {Activity[]} */
const activities = [];
/** @type {number | undefined} */
let clock;

/**
 * Show an activity until `end`.
 * @param {string} said What is being done.
 * @param {() => void} cancel
 * @param {number | null} [part] How much is done, from 0 to 1; null if it is unknown.
 * @returns {Activity}
 */
export function begin(said, cancel, part = null) {
  const activity = { said, part, since: performance.now(), cancel };
  activities.push(activity);
  show();
  return activity;
}

/**
 * Say what an activity is doing now.
 * @param {Activity} activity
 * @param {string} said
 */
export function say(activity, said) {
  activity.said = said;
  show();
}

/** @param {Activity} activity */
export function end(activity) {
  activities.splice(activities.indexOf(activity), 1);
  show();
}

function show() {
  const activity = activities.at(-1);
  box.hidden = !activity;
  clearInterval(clock);
  if (!activity) return;
  find("doing", HTMLElement).textContent = activity.said;
  find("status", HTMLElement).textContent = activity.said;
  const progress = find("progress", HTMLProgressElement);
  if (activity.part === null) progress.removeAttribute("value");
  else progress.value = activity.part;
  const tick = () => {
    const seconds = (performance.now() - activity.since) / 1000;
    find("elapsed", HTMLElement).textContent = `${seconds.toFixed(1)} s`;
  };
  tick();
  clock = setInterval(tick, 100);
}

find("cancel", HTMLButtonElement).addEventListener("click", () => activities.at(-1)?.cancel());
