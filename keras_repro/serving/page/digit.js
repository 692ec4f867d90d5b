// A digit is drawn by pointer or keyboard, and read.

import { bars, element } from "./bars.js";
import { language, onLanguage, percent, text } from "./language.js";
import { drawingPad } from "./pad.js";
import { asker, Fault, faultIn } from "./service.js";
import { KEYS } from "./strings.js";

const LEAP = 5; // cells with Shift
const QUIET = 400; // ms without a move before the pen says where it is
const STEPS = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
  Home: [-1, -1],
  PageUp: [1, -1],
  End: [-1, 1],
  PageDown: [1, 1],
};

export function startDigit() {
  const form = document.getElementById("digit");
  const canvas = document.getElementById("digit-pad");
  const fault = faultIn(document.getElementById("digit-error"));
  const asking = asker(form, fault);
  const pad = drawingPad(canvas, document.getElementById("digit-pen"), changed);
  const held = new Set();
  let answer = null;
  let outdated = false;
  let timer = null;
  let state = null;

  onLanguage(renderKeys);
  onLanguage(renderState);
  onLanguage(() => renderAnswer(answer));

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask();
  });
  document.getElementById("digit-clear").addEventListener("click", clear);
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (press(event)) event.preventDefault();
  });
  canvas.addEventListener("keyup", (event) => held.delete(event.key));
  canvas.addEventListener("focus", () => {
    if (!pad.pointing) tellPen();
  });
  canvas.addEventListener("pointerdown", () => tell(null));
  canvas.addEventListener("blur", () => {
    held.clear();
    pad.lift();
    clearTimeout(timer);
  });

  /** Do what a key of the drawing area does; false if it does nothing. */
  function press({ key, repeat, shiftKey }) {
    if (key in STEPS) {
      held.add(key);
      move(shiftKey ? LEAP : 1);
    } else if (key === " ") {
      if (!repeat) pad.toggle();
      tellPen();
    } else if (key === "Enter") {
      if (!repeat) ask();
    } else if (key === "Escape" || key === "Delete") {
      clear();
    } else {
      return false;
    }
    return true;
  }

  /** Move by all the keys that are held: the keyboard repeats the last of them alone. */
  function move(cells) {
    const steps = [...held].map((key) => STEPS[key]);
    const total = (axis) => Math.sign(steps.reduce((sum, step) => sum + step[axis], 0));
    pad.move(total(0) * cells, total(1) * cells);
    clearTimeout(timer);
    timer = setTimeout(tellPen, QUIET);
  }

  function ask() {
    if (asking.busy) return;
    if (!pad.inked) return fault.show(new Fault("error.blank"));
    asking.ask("digit", { image: pad.png() }, (given) => {
      outdated = false;
      renderAnswer(given);
      answer = given; // only now, as it may be garbled
    });
  }

  function clear() {
    clearTimeout(timer);
    pad.clear();
    answer = null;
    renderAnswer(null);
    tell("digit.cleared");
  }

  /** Called with each change of the drawing. */
  function changed() {
    asking.withdraw();
    fault.show(null);
    if (answer === null || outdated) return;
    outdated = true;
    document.querySelector("#digit-verdict .changed").textContent = text("digit.changed");
  }

  function tellPen() {
    tell(pad.down ? "digit.down" : "digit.up", { column: pad.column, row: pad.row });
  }

  function tell(key, values) {
    clearTimeout(timer);
    state = key === null ? null : { key, values };
    renderState();
  }

  function renderState() {
    const place = document.getElementById("digit-state");
    place.textContent = state === null ? "" : text(state.key, state.values);
  }

  function renderAnswer(given) {
    const verdict = document.getElementById("digit-verdict");
    const list = document.getElementById("digit-bars");
    list.hidden = given === null;
    if (given === null) {
      verdict.replaceChildren();
      return;
    }
    const { label, probability, probabilities } = given;
    const digits = Object.keys(probabilities).sort();
    list.replaceChildren(
      ...bars(digits.map((digit) => [digit, probabilities[digit], digit === label])),
    );
    verdict.replaceChildren(
      element("p", "changed", outdated ? text("digit.changed") : ""),
      element("p", "decision figure", label),
      element("p", "", text("digit.probability", { probability: percent(probability) })),
    );
  }
}

function renderKeys() {
  const list = document.getElementById("digit-key-list");
  list.replaceChildren(
    ...Object.entries(KEYS[language()]).flatMap(([does, names]) => {
      const keys = element("dt");
      for (const name of names) keys.append(element("kbd", "", name), " ");
      return [keys, element("dd", "", text(`digit.key.${does}`))];
    }),
  );
}
