// @ts-check
/** Texts to the clipboard, and documents to the folder of downloads. */

import { element } from "./elements.js";

/** The formats to save: the service's name, what the button says, the ending of the file. */
export const FORMATS = [
  { name: "pdf", title: "PDF", ending: ".pdf" },
  { name: "text", title: "Text", ending: ".txt" },
  { name: "json", title: "JSON", ending: ".json" },
  { name: "hocr", title: "hOCR", ending: ".hocr" },
  { name: "alto", title: "ALTO", ending: ".xml" },
  { name: "markdown", title: "Markdown", ending: ".md" },
  { name: "tsv", title: "TSV", ending: ".tsv" },
];

/**
 * Copy a text to the clipboard.
 * @param {string} text
 * @returns {Promise<boolean>} Whether the browser allowed it.
 */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Browsers have navigator.clipboard on https and on this machine only.
    return copyBySelection(text);
  }
}

/**
 * Copy by the command `copy` of the document, which also works on http://192.168.1.20.
 * @param {string} text
 */
function copyBySelection(text) {
  const focused = document.activeElement;
  const field = element("textarea", { class: "unseen", readonly: "", "aria-hidden": "true" });
  field.value = text;
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  if (focused instanceof HTMLElement || focused instanceof SVGElement) focused.focus();
  return done;
}

/**
 * Save a document to the folder of downloads.
 * @param {Blob} content
 * @param {string} name
 */
export function save(content, name) {
  const url = URL.createObjectURL(content);
  element("a", { href: url, download: name }).click();
  // The browser reads the content after this task.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/**
 * Return the name of the document that is made from a file.
 * @param {string} name The file's.
 * @param {string} ending
 */
export function documentName(name, ending) {
  return name.replace(/\.[^.]{1,5}$/, "") + ending;
}
