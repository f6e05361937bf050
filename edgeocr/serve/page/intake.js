// @ts-check
/** How pictures come in: chosen, taken with the camera, dropped, pasted. */

import { find } from "./elements.js";

/**
 * Call back with the files that come in.
 * @param {(files: File[]) => void} take
 * @param {(message: string) => void} complain Called if what came is no file.
 */
export function accept(take, complain) {
  for (const id of ["choose", "camera"]) {
    const input = find(id, HTMLInputElement);
    input.addEventListener("change", () => {
      const files = Array.from(input.files ?? []);
      // Emptied, so that choosing the same file again is a change.
      input.value = "";
      if (files.length) take(files);
    });
  }
  acceptDrops(take, complain);
  document.addEventListener("paste", (event) => {
    const files = Array.from(event.clipboardData?.files ?? []);
    if (!files.length) return;
    event.preventDefault();
    take(files);
  });
}

/**
 * @param {(files: File[]) => void} take
 * @param {(message: string) => void} complain
 */
function acceptDrops(take, complain) {
  const isOver = (/** @type {boolean} */ over) => document.body.classList.toggle("is-dragged-over", over);
  document.addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    isOver(true);
  });
  document.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) isOver(false);
  });
  document.addEventListener("drop", (event) => {
    isOver(false);
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    const items = Array.from(event.dataTransfer.items).filter((item) => item.kind === "file");
    const folders = items.filter((item) => item.webkitGetAsEntry?.()?.isDirectory);
    if (folders.length) complain("A folder can't be read here: drop the files in it.");
    const files = items.filter((item) => !folders.includes(item)).map((item) => item.getAsFile());
    const real = files.filter((file) => file !== null);
    if (real.length) take(real);
  });
}
