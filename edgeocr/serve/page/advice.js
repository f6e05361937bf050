// @ts-check
/** What an error means to a person, and what to do about it. */

import { ServiceError } from "./service.js";

/** @typedef {{title: string, message: string, advice: string}} Explanation */

/** By status: a title, and what to do. What is wrong, the service says itself. @type {Record<number, [string, string]>} */
const EXPLANATIONS = {
  0: ["The service can't be reached",
    "See whether it still runs and whether this device is on its network. A file that is larger than the service accepts can end in this way, too."],
  401: ["The service asks for a token", "Enter it, and the picture is read."],
  403: ["The service refuses this page", "Open the page under the name that the service has in its own settings."],
  408: ["The file took too long to arrive", "The network may be slow: try again, or send a smaller picture."],
  413: ["This is larger than the service accepts",
    "Make the picture smaller, or split the document; whoever runs the service can raise its limits."],
  415: ["The service can't open this kind of file", "Save it as JPEG or PNG, and try that."],
  422: ["This could not be read", "Choose another file, or open this one in a program that shows it and save it again."],
  500: ["The service failed", "Try again. If it fails again, the log of the service says more."],
  503: ["The service is busy", "Others are being answered. Try again in a moment."],
  504: ["This took too long", "Try again when the service has less to do, or send a smaller picture."],
};

/** By the error's type, where its status is not enough. @type {Record<string, [string, string]>} */
const BY_KIND = {
  NotReadyError: ["The service is not ready", "It is starting or ending. Try again in a moment."],
  ParameterError: ["The service can't do this", "Choose other options."],
  StageMissingError: ["The service can't do this", "Its bundle lacks a network for it."],
};

/**
 * Return what to tell about an error.
 * @param {unknown} error
 * @returns {Explanation}
 */
export function explain(error) {
  if (error instanceof DOMException && error.name === "AbortError") {
    return { title: "Cancelled", message: "The picture was not read.", advice: "" };
  }
  if (!(error instanceof ServiceError)) {
    return { title: "This page failed", message: String(error), advice: "Reload the page." };
  }
  const [title, advice] = BY_KIND[error.kind] ?? EXPLANATIONS[error.status]
    ?? ["The service refused this", "Try again."];
  return { title, message: sentence(error.message), advice };
}

/**
 * Return what to tell about a page of a document that could not be read.
 * @param {string} message What the service says.
 * @returns {Explanation}
 */
export function explainPage(message) {
  return { title: "This page could not be read", message: sentence(message),
    advice: "The other pages of the file are not affected." };
}

/**
 * Begin with a capital letter and end with a full stop.
 * @param {string} message
 */
function sentence(message) {
  // A message may begin with a file's name, which keeps its letters.
  const begun = /^[a-z]+ /.test(message) ? message[0].toUpperCase() + message.slice(1) : message;
  return /[.!?。]$/.test(begun) ? begun : `${begun}.`;
}
