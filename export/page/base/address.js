"use strict";
/* Addresses that users give, of models on servers. */

const EXAMPLE = "http://127.0.0.1:8501/v1/models/NAME";

/* The address of a model, as a user wrote it, who may leave out the scheme.

   Throws a ServerError if it can be none. */
function addressOf(entered) {
  if (!entered) throw new ServerError(`Give the address of a model, which is like ${EXAMPLE}.`);
  const isComplete = /^https?:\/\//i.test(entered);
  let url = null;
  try {
    url = new URL(isComplete ? entered : `//${entered}`, EXAMPLE);
  } catch { /* It stays null. */ }
  // A word alone is hardly the name of a machine.
  if (!url || !(isComplete || /[.:]|^localhost$/.test(url.host))) {
    throw new ServerError(`“${entered}” is no address. That of a model is like ${EXAMPLE}.`);
  }
  const path = url.pathname.replace(/\/+$/, "");
  if (!/\/v1\/models\/[^/]/.test(path)) {
    throw new ServerError(`“${entered}” names no model. Its address is like ${url.origin}/v1/models/NAME.`);
  }
  return url.origin + path;
}

/* Why a page of another origin cannot ask a model, as far as a browser tells. */
async function whyUnanswered(url, signal) {
  try {
    await fetch(url, { mode: "no-cors", signal }); // Without leave, one learns only that there is an answer.
  } catch (error) {
    if (error.name === "AbortError") return error;
    return new ServerError(`${url} does not answer. Is the server running there, and is this the port of its ` +
      "REST address? TF Serving's is 8501; 8500 is that of gRPC.");
  }
  return new ServerError(`The server at ${url} does not let this page ask. Start export.serve with ` +
    "--cors-origin '*', or TF Serving with --rest_api_enable_cors_support=true.");
}
