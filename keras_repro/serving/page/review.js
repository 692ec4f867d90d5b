// A review is judged, and the words that decided are shown.

import { fixed, onLanguage, percent, text } from "./language.js";
import { asker, Fault, faultIn } from "./service.js";
import { EXAMPLES } from "./strings.js";

const MOST = 10_000; // characters that the service reads
const FULL = 1; // logits; the strongest word of a review has full strength from here on
const STRONG = 1 / 2; // of full strength
const WEAK = 1 / 20; // less hardly matters
const NAMED = 3; // words that are named as the strongest, in each direction
const SPOKEN = /[\p{L}\p{N}]/u; // what a word has and punctuation has not
const INVISIBLE = /[\s\p{Cc}\p{Cf}]/gu; // what the service drops

export function startReview() {
  const form = document.getElementById("review");
  const field = document.getElementById("review-text");
  const fault = faultIn(document.getElementById("review-error"));
  const asking = asker(form, fault);
  let answer = null;
  let judged = null;

  onLanguage(count);
  onLanguage(() => {
    if (answer === null) return;
    render(answer, judged);
    markChange();
  });
  offerExamples(field);

  field.addEventListener("input", () => {
    asking.withdraw();
    complain(null);
    count();
    markChange();
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (asking.busy) return;
    const content = field.value;
    const length = characters(content);
    if (content.replace(INVISIBLE, "") === "") return complain(new Fault("error.empty"));
    if (length > MOST) return complain(new Fault("error.long", { count: length, most: MOST }));
    complain(null);
    asking.ask("explain", { text: content }, (given) => {
      render(given, content);
      answer = given; // only now, as it may be garbled
      judged = content;
      markChange();
    });
  });

  /** Say what is wrong with the text itself, or that nothing is. */
  function complain(found) {
    fault.show(found);
    field.setAttribute("aria-invalid", found !== null);
    if (found !== null) field.focus();
  }

  function count() {
    const length = characters(field.value);
    const place = document.getElementById("review-count");
    place.textContent = text("review.count", { count: length, most: MOST });
    place.classList.toggle("over", length > MOST);
  }

  function render(given, content) {
    renderWords(given.words, likeliest(given));
    renderBeginning(given.words, content);
    renderMeter(given);
    renderVerdict(given);
    document.getElementById("review-answer").hidden = false;
  }

  function markChange() {
    if (answer === null) return;
    const wanted = field.value === judged ? "" : text("review.changed");
    const note = document.querySelector("#review-verdict .changed");
    // Written anew at each key, it would be read out at each key.
    if (note.textContent !== wanted) note.textContent = wanted;
  }
}

/** As Python counts, not the UTF-16 units of JavaScript. */
function characters(content) {
  return Array.from(content).length;
}

function offerExamples(field) {
  const list = document.getElementById("review-examples");
  for (const example of EXAMPLES) {
    const button = element("button", { type: "button", lang: "zh-CN", textContent: example });
    button.addEventListener("click", () => {
      field.focus();
      field.select();
      // Deprecated, and the only way in which undo brings back what was there.
      document.execCommand("insertText", false, example);
    });
    const item = document.createElement("li");
    item.append(button);
    list.append(item);
  }
}

/** Of more than two classes the likeliest, by name; of positive and negative null. */
function likeliest({ probabilities }) {
  return probabilities ? ordered(probabilities)[0][0] : null;
}

function ordered(probabilities) {
  return Object.entries(probabilities).sort(([, one], [, other]) => other - one);
}

function renderVerdict({ label, probability, probabilities, reason }) {
  const shares = (likely) =>
    ordered(likely)
      .map(([name, share]) => `${name} ${percent(share)}`)
      .join(text("review.separator"));
  const place = document.getElementById("review-verdict");
  place.replaceChildren(
    element("p", { className: "changed" }),
    element("p", {
      className: probabilities ? "decision" : `decision ${label}`,
      textContent: probabilities && label !== "none" ? label : text(`review.${label}`),
    }),
    element("p", {
      textContent: reason
        ? text(probabilities && reason === "balanced" ? "review.tied" : `review.${reason}`)
        : probabilities
          ? shares(probabilities)
          : text("review.probability", { probability: percent(probability) }),
    }),
  );
}

function renderMeter({ label, model, probability, threshold }) {
  const meter = document.getElementById("review-meter");
  meter.hidden = threshold === null; // of more than two classes there is none
  meter.setAttribute("aria-valuenow", probability);
  meter.setAttribute("aria-valuetext", percent(probability));
  meter.className = `meter ${label}`;
  // Properties may be set where the policy forbids style attributes.
  meter.style.setProperty("--value", probability);
  meter.style.setProperty("--threshold", threshold);
  document.getElementById("review-threshold").textContent = meter.hidden
    ? text("review.classes", { model })
    : text("review.threshold", { model, threshold: percent(threshold) });
}

/** Return how a string on positive and negative reads of a class, which null stands for. */
function ofClass(key, label) {
  return label === null ? key : key.replace("Positive", "Towards").replace("Negative", "Away");
}

function renderWords(words, label) {
  const shown = words.filter(({ word }) => word.trim() !== "");
  const full = Math.max(FULL, ...shown.map(({ effect }) => Math.abs(effect)));
  document
    .getElementById("review-words")
    .replaceChildren(
      ...shown.map(({ word, effect }) => renderWord(word, effect, effect / full, label)),
    );
  document
    .getElementById("review-strongest")
    .replaceChildren(
      element("p", { textContent: strongest("review.mostPositive", shown, full, 1, label) }),
      element("p", { textContent: strongest("review.mostNegative", shown, full, -1, label) }),
    );
}

/** Say so where the words stop before the text does. */
function renderBeginning(words, content) {
  const joined = words.map(({ word }) => word).join("");
  const letters = (string) => characters(string.normalize("NFKC").replace(INVISIBLE, ""));
  document.getElementById("review-beginning").textContent =
    letters(joined) < letters(content)
      ? text("review.beginning", { count: characters(joined) })
      : "";
}

function renderWord(word, effect, strength, label) {
  const kind = kindOf(strength);
  const told = text(`review.${ofClass(kind, label)}`, { label });
  const item = element("li", { className: kind, title: `${word}: ${told}` });
  item.style.setProperty("--strength", Math.abs(strength));
  item.append(
    element("span", { className: "word", textContent: word }),
    element("span", { className: "effect", textContent: signed(effect) }),
  );
  return item;
}

function kindOf(strength) {
  if (Math.abs(strength) < WEAK) return "neutral";
  const degree = Math.abs(strength) < STRONG ? "weak" : "strong";
  return degree + (strength > 0 ? "Positive" : "Negative");
}

function signed(effect) {
  return fixed(effect, 2, { signDisplay: "exceptZero" }).replace("-", "−");
}

/** Name the words that push most in one direction, each once, or nothing. */
function strongest(key, words, full, direction, label) {
  const pushing = words
    .filter(({ word, effect }) => SPOKEN.test(word) && (effect * direction) / full >= WEAK)
    .sort((one, other) => (other.effect - one.effect) * direction)
    .map(({ word }) => word);
  const named = [...new Set(pushing)].slice(0, NAMED);
  const joined = named.join(text("review.separator"));
  return named.length ? text(ofClass(key, label), { label, words: joined }) : "";
}

function element(tag, properties) {
  return Object.assign(document.createElement(tag), properties);
}
