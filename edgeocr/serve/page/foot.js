// @ts-check
/** What reads the pictures here: the bundle's name in the head of the page, all of it in the foot. */

import { find } from "./elements.js";
import { ServiceError, bundle } from "./service.js";
import { askForToken } from "./token.js";

/** Tell the bundle's name, digest and providers, and the versions; later, if the service is not ready. */
export async function showFoot() {
  try {
    tell(await bundle());
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    find("reader", HTMLElement).textContent = error.retryAfter === null ? "" : "starting";
    if (error.retryAfter !== null) setTimeout(showFoot, error.retryAfter * 1000);
    if (error.status === 401 && (await askForToken())) await showFoot();
  }
}

/** @param {import("./service.js").Bundle} told */
function tell(told) {
  const providers = [...new Set(Object.values(told.providers))].join(", ");
  find("reader", HTMLElement).textContent = told.name;
  find("made-of", HTMLElement).textContent = [`bundle ${told.name}`, told.digest.slice(0, 12), providers,
    `edgeocr ${told.edgeocr}`, `ONNX Runtime ${told.onnxruntime}`].join(" · ");
  find("made-of", HTMLElement).title = `Digest ${told.digest}`;
}
