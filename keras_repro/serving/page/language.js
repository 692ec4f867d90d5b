// The language of the page: which one, and what is written in it.

import { STRINGS } from "./strings.js";

const STORED = "keras-repro.language";
const TAGS = { en: "en", zh: "zh-CN" };
const LIKELIEST = 0.99;
const listeners = [];
let current = "en";

export function language() {
  return current;
}

/** A string of the dictionary with its {names} replaced; numbers as the language writes them. */
export function text(key, values = {}) {
  return STRINGS[current][key].replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name];
    return typeof value === "number" ? number(value) : value;
  });
}

/** Whether the dictionary has a string. */
export function has(key) {
  return key in STRINGS[current];
}

export function number(value, options = {}) {
  return new Intl.NumberFormat(TAGS[current], options).format(value);
}

/** As many digits behind the point, whatever the value. */
export function fixed(value, digits, options = {}) {
  return number(value, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
    ...options,
  });
}

/** A probability in whole percents: no model is certain, so none is said to be. */
export function percent(value) {
  const whole = (share) => fixed(share, 0, { style: "percent" });
  if (value > LIKELIEST) return `>${whole(LIKELIEST)}`;
  if (value < 1 - LIKELIEST) return `<${whole(1 - LIKELIEST)}`;
  return whole(value);
}

/** Call `render` now and whenever another language is chosen. */
export function onLanguage(render) {
  listeners.push(render);
  render();
}

/** Write the page in the language chosen before, or else the first that the reader prefers. */
export function startLanguage() {
  const buttons = document.querySelectorAll("[data-language]");
  for (const button of buttons) {
    button.addEventListener("click", () => {
      remember(button.dataset.language);
      choose(button.dataset.language);
    });
  }
  onLanguage(() => {
    document.documentElement.lang = TAGS[current];
    for (const button of buttons) {
      button.setAttribute("aria-pressed", button.dataset.language === current);
    }
    for (const element of document.querySelectorAll("[data-text]")) {
      element.textContent = text(element.dataset.text);
    }
    for (const element of document.querySelectorAll("[data-label]")) {
      element.setAttribute("aria-label", text(element.dataset.label));
    }
  });
  choose(remembered() ?? preferred());
}

function choose(name) {
  if (name === current) return;
  current = name;
  for (const render of listeners) render();
}

function preferred() {
  const known = navigator.languages.map((tag) => tag.split("-")[0].toLowerCase());
  return known.find((name) => name in STRINGS) ?? "en";
}

// A browser may forbid storage; then each visit begins with what the reader prefers.
function remembered() {
  try {
    const name = localStorage.getItem(STORED);
    return name in STRINGS ? name : null;
  } catch {
    return null;
  }
}

function remember(name) {
  try {
    localStorage.setItem(STORED, name);
  } catch {
    // Nothing else to do.
  }
}
