// @ts-check
/** Requests to the service that this page comes from. */

/** @typedef {{words: boolean, shape: string}} Options How pictures are read */
/** @typedef {Record<string, any>} Bundle What /v1/bundle answers */

const TOKEN_KEY = "edgeocr-token";
const MOST_ATTEMPTS = 6;
const SECONDS_IF_UNSAID = 2;

/** A request that was not answered with a result. */
export class ServiceError extends Error {
  /**
   * @param {number} status The HTTP status; 0 if there was no answer.
   * @param {string} kind The error's type, as the service names it.
   * @param {string} message What the service says.
   * @param {number | null} retryAfter Seconds after which the request may be sent again.
   */
  constructor(status, kind, message, retryAfter = null) {
    super(message);
    this.status = status;
    this.kind = kind;
    this.retryAfter = retryAfter;
  }
}

/** The token that requests bring; the tab remembers it until it is closed. */
export const token = {
  get: () => sessionStorage.getItem(TOKEN_KEY) ?? "",
  /** @param {string} value */
  set: (value) => sessionStorage.setItem(TOKEN_KEY, value),
};

/**
 * Ask what reads the pictures.
 * @returns {Promise<Bundle>}
 */
export async function bundle() {
  return (await send("/v1/bundle", {})).json();
}

/**
 * Have files read.
 * @param {File[]} files One is sent as it is, several ones as a form.
 * @param {string} format One of the formats of `edgeocr read --format`.
 * @param {Options} options
 * @param {AbortSignal} signal Gives the request up, so that the service is free for others.
 * @returns {Promise<Response>}
 */
export async function read(files, format, options, signal) {
  const query = new URLSearchParams({ format });
  if (options.words) query.set("words", "true");
  if (options.shape) query.set("shape", options.shape);
  if (files.length === 1) query.set("name", files[0].name);
  const body = files.length === 1 ? files[0] : form(files);
  return send(`/v1/read?${query}`, { method: "POST", body, signal });
}

/** @param {File[]} files */
function form(files) {
  const made = new FormData();
  for (const file of files) made.append("file", file, file.name);
  return made;
}

/**
 * @param {string} path
 * @param {RequestInit} request
 */
async function send(path, request) {
  const headers = token.get() ? { Authorization: `Bearer ${token.get()}` } : undefined;
  let response;
  try {
    response = await fetch(path, { ...request, headers, cache: "no-store", credentials: "same-origin" });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ServiceError(0, "", "The service did not answer.");
  }
  if (!response.ok) throw await errorOf(response);
  return response;
}

/** @param {Response} response */
async function errorOf(response) {
  const seconds = Number(response.headers.get("Retry-After"));
  const retryAfter = response.status === 503 ? seconds || SECONDS_IF_UNSAID : null;
  try {
    const { error } = await response.json();
    return new ServiceError(response.status, String(error.type), String(error.message), retryAfter);
  } catch {
    // A proxy before the service answers in its own way.
    const message = `The answer was ${response.status} ${response.statusText}`.trim();
    return new ServiceError(response.status, "", `${message}.`, retryAfter);
  }
}

/**
 * Repeat a request for as long as the service is busy, but not for ever.
 * @template T
 * @param {() => Promise<T>} request
 * @param {AbortSignal} signal Ends the waiting.
 * @param {(seconds: number) => void} waiting Called each second with the seconds that are left.
 * @returns {Promise<T>}
 */
export async function patiently(request, signal, waiting) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await request();
    } catch (error) {
      const seconds = error instanceof ServiceError ? error.retryAfter : null;
      if (seconds === null || attempt === MOST_ATTEMPTS) throw error;
      for (let left = Math.ceil(seconds); left > 0; left--) {
        waiting(left);
        await second(signal);
      }
    }
  }
}

/**
 * Wait for a second, or until the signal comes.
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function second(signal) {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, 1000);
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
  });
}
