// What a review is: the verdict, how sure, and why.

import { bars, element } from "./bars.js";
import { has, percent, text } from "./language.js";
import { beginning, renderWords, strongest } from "./words.js";

const SURE = [
  [0.95, "high"],
  [0.8, "fair"],
  [0.5, "low"],
];
const CLAUSES = 12; // that are shown
const NONE = "none";
const SIDES = ["negative", "positive"];
const REASONS = ["review.because", "review.but"];

export function renderAnswer(answer, content) {
  const several = isOfSeveral(answer);
  const pushes = directions(answer);
  renderWords(document.getElementById("review-words"), answer.words, pushes);
  renderReasons(answer);
  write("review-beginning", beginning(answer.words, content));
  write("review-legend", text("review.legend", pushes));
  renderClauses(answer.clauses);
  document.getElementById("review-scale").hidden = several;
  document.getElementById("review-classes").hidden = !several;
  if (several) renderClasses(answer);
  else renderScale(answer);
  renderVerdict(answer);
  document.getElementById("review-answer").hidden = false;
}

/** The name of a class in the language of the page, or as the model has it. */
export function className(label) {
  return has(`class.${label}`) ? text(`class.${label}`) : label;
}

/** How sure an answer is, in words and whole percents; without a verdict, why there is none. */
export function sureness(answer) {
  if (answer.label === NONE) return text(`review.reason.${reason(answer)}`);
  const value = probability(answer);
  // Of two classes, one that is said with less than a half is said for the threshold alone.
  const rest = isOfSeveral(answer) ? "low" : "least";
  const [, degree] = SURE.find(([least]) => value >= least) ?? [0, rest];
  return text(`review.sure.${degree}`, { probability: percent(value) });
}

/** A verdict in one element, with the colour and sign of its class where it has one. */
export function verdict(tag, answer) {
  return element(tag, `decision ${side(answer)}`, className(answer.label));
}

/** The classes in their order; where there are two, the second is what probability is of. */
function classes({ probabilities }) {
  return probabilities ? Object.keys(probabilities) : ["negative", "positive"];
}

function isOfSeveral(answer) {
  return classes(answer).length > 2;
}

/** The class that words push towards: that is said, or else the likeliest. */
function pushedTo(answer) {
  const { label, probabilities } = answer;
  if (!isOfSeveral(answer)) return classes(answer)[1];
  if (label !== NONE) return label;
  return classes(answer).reduce((one, other) =>
    probabilities[other] > probabilities[one] ? other : one,
  );
}

/** The side of a verdict; of several classes those alone have one that are called after it. */
function side(answer) {
  if (isOfSeveral(answer)) return SIDES.includes(answer.label) ? answer.label : NONE;
  return SIDES[classes(answer).indexOf(answer.label)] ?? NONE;
}

/** The probability of the class that is said. */
function probability(answer) {
  const { label, probability, probabilities } = answer;
  if (probabilities && label in probabilities) return probabilities[label];
  return side(answer) === "negative" ? 1 - probability : probability;
}

/** What words push towards, and away from. */
function directions(answer) {
  const towards = text("review.towards", { name: className(pushedTo(answer)) });
  if (isOfSeveral(answer)) {
    return { towards, away: text("review.away", { name: className(pushedTo(answer)) }) };
  }
  return { towards, away: text("review.towards", { name: className(classes(answer)[0]) }) };
}

function renderVerdict(answer) {
  const parts = [verdict("p", answer), element("p", "sure", sureness(answer))];
  document.getElementById("review-verdict").replaceChildren(element("p", "changed"), ...parts);
}

function reason(answer) {
  if (answer.reason === "balanced" && isOfSeveral(answer)) return "tied";
  return has(`review.reason.${answer.reason}`) ? answer.reason : "other";
}

function renderScale(answer) {
  const { model, probability, threshold } = answer;
  const [first, second] = classes(answer).map(className);
  const meter = document.getElementById("review-meter");
  meter.setAttribute("aria-label", text("review.meter", { name: second }));
  meter.setAttribute("aria-valuenow", Math.round(probability * 100));
  meter.setAttribute("aria-valuetext", percent(probability));
  meter.className = `meter ${side(answer)}`;
  // Properties may be set where the policy forbids style attributes.
  meter.style.setProperty("--value", probability);
  meter.style.setProperty("--threshold", threshold);
  write("review-first", first);
  write("review-second", second);
  const values = { model, name: second, threshold: percent(threshold) };
  write("review-threshold", text("review.threshold", values));
}

function renderClasses({ label, probabilities }) {
  const shares = Object.entries(probabilities).sort(([, one], [, other]) => other - one);
  const named = shares.map(([name, share]) => [className(name), share, name === label]);
  document.getElementById("review-classes").replaceChildren(...bars(named));
}

/** Name the words that say so, then those that say otherwise; without a verdict, both sides. */
function renderReasons(answer) {
  const { towards, away } = directions(answer);
  const way = answer.label === NONE || answer.label === pushedTo(answer) ? 1 : -1;
  const lines = [way, -way].map((direction, place) => {
    const words = strongest(answer.words, direction);
    if (!words) return element("p");
    if (answer.label !== NONE) return element("p", "", text(REASONS[place], { words }));
    const side = direction === 1 ? towards : away;
    return element("p", "", text("review.push", { side, words }));
  });
  document.getElementById("review-strongest").replaceChildren(...lines);
}

function renderClauses(clauses) {
  const shown = clauses.slice(0, CLAUSES);
  document.getElementById("review-parts").hidden = clauses.length < 2;
  document.getElementById("review-clauses").replaceChildren(
    ...shown.map((clause) => {
      const item = document.createElement("li");
      const quote = element("q", "", clause.text);
      quote.lang = "zh-CN";
      const sure = clause.label === NONE ? "" : percent(probability(clause));
      item.append(quote, " ", verdict("span", clause), " ", element("span", "percent", sure));
      return item;
    }),
  );
  const areAll = clauses.length === shown.length;
  write("review-rest", areAll ? "" : text("review.rest", { count: CLAUSES }));
}

function write(id, content) {
  document.getElementById(id).textContent = content;
}
