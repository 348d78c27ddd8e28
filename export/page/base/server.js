"use strict";
/* Requests to a model: TF Serving's REST interface. Strings whose names end in `_bytes` are base64. */

const MOST_TRIES = 6;

/* What went wrong, in words for whoever looks at the page. */
class ServerError extends Error {}

/* There was no answer, or none that the page may read. */
class UnreachableError extends ServerError {}

class ModelServer {
  /* `url`: that of the model, http://HOST:PORT/v1/models/NAME. */
  constructor(url) {
    this.url = url.replace(/\/+$/, "");
    this.name = decodeURIComponent(this.url.split("/").pop());
  }

  /* The signatures of the model: name to names of its outputs. */
  async signatures(signal) {
    const answer = await this.#ask(`${this.url}/metadata`, { signal });
    const definitions = answer?.metadata?.signature_def?.signature_def;
    if (!definitions) throw new ServerError(`There is no model at ${this.url}.`);
    return Object.fromEntries(
      Object.entries(definitions).map(([name, of]) => [name, Object.keys(of.outputs ?? {})]));
  }

  /* Outputs by name, a list each with a value a row, from inputs likewise.

     `signal` ends it; `waits` is told of the seconds that it waits where the server is busy. */
  async call(signature, inputs, signal, waits = () => {}) {
    const body = JSON.stringify({ signature_name: signature, inputs });
    // Without a type of its own a body is text/plain, for which a browser asks no leave before.
    const answer = await this.#ask(`${this.url}:predict`, { method: "POST", body, signal }, waits);
    return answer.outputs;
  }

  async #ask(url, options, waits = () => {}) {
    for (let tries = 1; ; tries++) {
      const response = await this.#reached(fetch(url, options));
      const text = await this.#reached(response.text());
      if (response.ok) return parseNumbers(text);
      const isBusy = response.status === 429 || response.status === 503;
      if (!isBusy || tries === MOST_TRIES) throw new ServerError(explained(response.status, text));
      const seconds = Math.min(Number(response.headers.get("Retry-After")) || tries, 10);
      waits(seconds);
      await sleep(seconds, options.signal);
    }
  }

  async #reached(promise) {
    try {
      return await promise;
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new UnreachableError(`The server does not answer. Is it still running at ${this.url}?`);
    }
  }
}

/* The server writes NaN and Infinity as they are, which JSON has no form for: null. */
function parseNumbers(text) {
  const plain = text.replace(/"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g, (found) =>
    found.startsWith('"') ? found : "null");
  try {
    return JSON.parse(plain);
  } catch {
    throw new ServerError("The server's answer cannot be read. Is it a model's address?");
  }
}

function explained(status, text) {
  if (status === 429) return "The server is busy with other requests. Try again in a moment.";
  if (status === 503) return "The server is stopping, or has not started yet. Try again.";
  if (status === 504) return "This took longer than the server allows. Ask for something shorter.";
  if (status === 413) return "This is longer than the server reads. Give it something shorter.";
  let said = text;
  try {
    said = JSON.parse(text).error ?? text;
  } catch { /* It is not JSON, and stands for itself. */ }
  return `The server refused (${status}): ${String(said).slice(0, 300)}`;
}

function sleep(seconds, signal) {
  return new Promise((resolve, reject) => {
    const stopped = () => {
      clearTimeout(timer);
      reject(new DOMException("Stopped", "AbortError"));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stopped);
      resolve();
    }, 1000 * seconds);
    signal?.addEventListener("abort", stopped, { once: true });
  });
}

/* What the page knows of its model once it is connected. */
class Model {
  constructor(server, signatures, described) {
    this.server = server;
    this.signatures = signatures;
    this.isMusic = signatures.generate.includes("roll_bytes");
    this.maxLength = described.max_length;
    this.noiseSize = described.noise_size;
    this.characters = new Set(described.characters ?? "");
    this.field = this.isMusic ? "roll_bytes" : "text";
  }

  static async connect(url, signal) {
    const server = new ModelServer(url);
    const signatures = await server.signatures(signal);
    if (!("generate" in signatures && "describe" in signatures)) {
      throw new ServerError(`${server.name} is no model of export.saved_model, or of an older one. ` +
        "Export it again.");
    }
    const outputs = await server.call("describe", { row: [0] }, signal);
    const described = Object.fromEntries(
      Object.entries(outputs).map(([name, values]) => [name, values[0]]));
    return new Model(server, signatures, described);
  }

  has(signature) {
    return signature in this.signatures;
  }

  /* Texts, or rolls, as the server takes and gives them. */
  packed(sequence) {
    return this.isMusic ? { b64: base64OfBytes(packRoll(sequence)) } : sequence;
  }

  unpacked(value) {
    return this.isMusic ? unpackRoll(bytesOfBase64(value.b64)) : value;
  }

  /* Sequences of one signature, in order. */
  async sequences(signature, inputs, task) {
    const outputs = await this.server.call(signature, inputs, task.signal, task.waits);
    return outputs[this.field].map((value) => this.unpacked(value));
  }

  /* The noise of sequences, a Float32Array each; empty for one that the model cannot read. */
  async encode(sequences, task) {
    const inputs = { [this.field]: sequences.map((sequence) => this.packed(sequence)) };
    const outputs = await this.server.call("encode", inputs, task.signal, task.waits);
    return outputs.noise_bytes.map((value) => floatsOfBase64(value.b64));
  }

  /* The sequences of noise. */
  decode(noises, task) {
    const noise = noises.map((floats) => ({ b64: base64OfFloats(floats) }));
    return this.sequences("decode", { noise_bytes: noise }, task);
  }
}
