// What several models say of one review, with how good each was in the test.

import { element } from "./bars.js";
import { fixed, language, text } from "./language.js";
import { MODELS } from "./strings.js";
import { sureness, verdict } from "./verdict.js";

/** Show the models beside each other, or nothing where there is but one. */
export function renderComparison(models) {
  const place = document.getElementById("review-comparison");
  place.hidden = models === null || models.length < 2;
  if (place.hidden) return;
  document.getElementById("review-models").replaceChildren(head(), body(models));
  const tested = models.find(({ n_test }) => n_test !== null);
  document.getElementById("review-tested").textContent = tested
    ? text("compare.tested", { count: tested.n_test, corpora: names(tested.corpora) })
    : "";
}

function head() {
  const row = document.createElement("tr");
  for (const name of ["model", "answer", "f1"]) {
    const cell = element("th", "", text(`compare.${name}`));
    cell.scope = "col";
    row.append(cell);
  }
  const group = document.createElement("thead");
  group.append(row);
  return group;
}

function body(models) {
  const group = document.createElement("tbody");
  group.append(...models.map(row));
  return group;
}

function row(model) {
  const name = document.createElement("th");
  name.scope = "row";
  name.append(element("code", "", model.model));
  const meaning = MODELS[language()][model.model];
  if (meaning) name.append(" ", element("span", "hint", meaning));
  const answer = document.createElement("td");
  answer.append(verdict("span", model), " ", element("span", "hint", sureness(model)));
  const measured = document.createElement("td");
  measured.append(...score(model));
  const line = element("tr", model.best ? "best" : "");
  line.append(name, answer, measured);
  return line;
}

function score({ best, corpora, f1 }) {
  if (f1 === null) {
    const key = corpora.length ? "compare.elsewhere" : "compare.unknown";
    return [element("span", "hint", text(key, { corpora: names(corpora) }))];
  }
  const shown = [element("span", "", fixed(f1, 3))];
  if (best) shown.push(" ", element("span", "badge", text("compare.best")));
  return shown;
}

export function names(corpora) {
  return corpora.join(text("review.separator"));
}
