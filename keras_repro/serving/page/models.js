// The table of all models with their metrics and the tutorial's.

import { fixed, language, number, onLanguage, text } from "./language.js";
import { faultIn, request } from "./service.js";
import { MODELS, TITLES } from "./strings.js";

const METRICS = ["accuracy", "precision", "recall", "f1", "cases"];
const NONE = "–";

export function startModels() {
  const section = document.getElementById("models");
  const again = document.getElementById("models-again");
  const state = document.getElementById("models-state");
  const table = document.getElementById("models-table");
  const fault = faultIn(document.getElementById("models-error"));
  let models = null;
  let said = "models.loading";

  onLanguage(render);
  again.querySelector("button").addEventListener("click", load);
  load();

  async function load() {
    section.setAttribute("aria-busy", true);
    again.hidden = true;
    fault.show(null);
    said = "models.loading";
    render();
    try {
      ({ models } = await request("models"));
      said = models.length ? null : "models.none";
    } catch (error) {
      said = null;
      fault.show(error);
      again.hidden = false;
    }
    render();
    section.setAttribute("aria-busy", false);
  }

  function render() {
    state.textContent = said === null ? "" : text(said);
    table.hidden = !models?.length;
    if (!table.hidden) table.replaceChildren(head(), ...models.map(body));
  }
}

// Each role is what the element has anyway, until the style for narrow screens makes a row a card.
function head() {
  const names = ["model", ...METRICS, "n_test"];
  const row = element("tr", "row");
  row.append(
    ...names.map((name) => {
      const cell = element("th", "columnheader", text(`models.${name}`));
      cell.scope = "col";
      return cell;
    }),
  );
  const group = element("thead", "rowgroup");
  group.append(row);
  return group;
}

function body(model) {
  const group = element("tbody", "rowgroup");
  group.append(ours(model));
  if (model.tutorial) group.append(theirs(model.tutorial));
  return group;
}

function ours(model) {
  const name = element("th", "rowheader");
  if (model.title === null) {
    name.append(element("code", null, model.name));
    const meaning = MODELS[language()][model.name];
    if (meaning) name.append(" ", meaningBelow(meaning));
  } else {
    name.textContent = TITLES[language()][model.title] ?? model.title;
  }
  return row("ours", name, model, number(model.n_test));
}

function meaningBelow(meaning) {
  const below = element("span", null, meaning);
  below.className = "hint";
  return below;
}

function theirs(stated) {
  return row("theirs", element("th", "rowheader", text("models.tutorial")), stated, NONE);
}

function row(kind, name, metrics, items) {
  name.scope = "row";
  const line = element("tr", "row");
  line.className = kind;
  line.append(
    name,
    ...METRICS.map((metric) =>
      cell(metric, metrics[metric] == null ? NONE : fixed(metrics[metric], 4)),
    ),
    cell("n_test", items),
  );
  return line;
}

function cell(metric, content) {
  const made = element("td", "cell", content);
  made.className = content === NONE ? "none" : "";
  made.dataset.column = text(`models.${metric}`);
  return made;
}

function element(tag, role, content = "") {
  const made = document.createElement(tag);
  if (role) made.setAttribute("role", role);
  made.textContent = content;
  return made;
}
