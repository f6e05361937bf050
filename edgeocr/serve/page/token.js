// @ts-check
/** The dialog that asks for the service's token. */

import { find, within } from "./elements.js";
import { token } from "./service.js";

const dialog = find("ask", HTMLDialogElement);
const field = find("token", HTMLInputElement);

/** @type {Promise<boolean> | null} */
let asking = null;

/**
 * Ask for a token, which later requests bring. Several callers at a time share one dialog.
 * @returns {Promise<boolean>} Whether the user entered one.
 */
export function askForToken() {
  asking ??= ask().finally(() => {
    asking = null;
  });
  return asking;
}

/** @returns {Promise<boolean>} */
function ask() {
  find("not-accepted", HTMLElement).hidden = !token.get();
  field.value = "";
  dialog.returnValue = "";
  dialog.showModal();
  field.focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      const entered = dialog.returnValue === "entered";
      if (entered) token.set(field.value.trim());
      field.value = "";
      resolve(entered);
    }, { once: true });
  });
}

within(dialog, "form", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  if (field.value.trim()) dialog.close("entered");
});
find("ask-cancel", HTMLButtonElement).addEventListener("click", () => dialog.close(""));
