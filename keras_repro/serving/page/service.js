// The service: one request, its errors as sentences of the dictionary, one request at a time.

import { onLanguage, text } from "./language.js";

const PATIENCE = 60_000; // ms; a review of 10,000 characters is explained in far less
const LONGEST_REASON = 200; // characters

/** Something to say to the reader: a key of the dictionary, values, the service's own words. */
export class Fault extends Error {
  constructor(key, values = {}, reason = "") {
    super(key);
    this.key = key;
    this.values = values;
    this.reason = reason;
  }
}

/** Return what the service answers to a GET, or to a POST where there is a body. */
export async function request(path, { body, signal = new AbortController().signal } = {}) {
  const options = { signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]) };
  if (body !== undefined) {
    options.method = "POST";
    options.headers = { "Content-Type": "application/json" };
    options.body = JSON.stringify(body);
  }
  let response;
  let content;
  try {
    response = await fetch(path, options);
    content = await response.text();
  } catch (error) {
    throw new Fault(error.name === "TimeoutError" ? "error.slow" : "error.unreachable");
  }
  if (!response.ok) throw refusal(response.status, content);
  try {
    return JSON.parse(content);
  } catch {
    throw new Fault("error.garbled");
  }
}

function refusal(status, content) {
  if (status === 503) return new Fault("error.absent");
  if (status >= 500) return new Fault("error.failed", { status });
  if (status === 413) return new Fault("error.big");
  const reason = said(content);
  return reason ? new Fault("error.reason", {}, reason) : new Fault("error.refused", { status });
}

function said(content) {
  try {
    const { detail } = JSON.parse(content);
    const reason = Array.isArray(detail) ? detail[0].msg : detail;
    return typeof reason === "string" ? reason.slice(0, LONGEST_REASON) : "";
  } catch {
    return "";
  }
}

/** A place for one sentence that says what went wrong, in the language of the page. */
export function faultIn(element) {
  let fault = null;
  onLanguage(write);

  function write() {
    element.replaceChildren();
    if (fault === null) return;
    element.append(text(fault.key, fault.values));
    if (!fault.reason) return;
    const quote = document.createElement("q");
    quote.lang = "en"; // which the service speaks
    quote.textContent = fault.reason;
    element.append(" ", quote);
  }

  return {
    /** Show a fault, or none. */
    show(next) {
      fault = next;
      write();
    },
  };
}

/**
 * What asks from a form: its button rests while a request is on its way, and an answer to a
 * question that has been withdrawn or asked anew is dropped.
 */
export function asker(form, fault) {
  const button = form.querySelector("[type=submit]");
  let controller = null;

  function busy(is) {
    form.setAttribute("aria-busy", is);
    // Not `disabled`, which would take the focus away from who has just pressed it.
    button.setAttribute("aria-disabled", is);
  }

  return {
    get busy() {
      return controller !== null;
    },

    /** Forget the request that is on its way. */
    withdraw() {
      controller?.abort();
      controller = null;
      busy(false);
    },

    /** Give the answer to `show`, or say why there is none. */
    async ask(path, body, show) {
      this.withdraw();
      const mine = new AbortController();
      controller = mine;
      fault.show(null);
      busy(true);
      let answer = null;
      let met = null;
      try {
        answer = await request(path, { body, signal: mine.signal });
      } catch (error) {
        met = error;
      }
      if (controller !== mine) return;
      this.withdraw();
      if (met === null) {
        try {
          show(answer);
          return;
        } catch (error) {
          console.error(error);
          met = new Fault("error.garbled");
        }
      }
      fault.show(met);
    },
  };
}
