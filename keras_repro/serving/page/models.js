// The tables of all models with their metrics, those that can be compared in one.

import { element } from "./bars.js";
import { names } from "./comparison.js";
import { fixed, language, onLanguage, text } from "./language.js";
import { faultIn, request } from "./service.js";
import { MODELS, TITLES } from "./strings.js";

const METRICS = ["f1", "accuracy", "precision", "recall"];
const OF_REVIEWS = "reviews";
const NONE = "–";

export function startModels() {
  const section = document.getElementById("models");
  const again = document.getElementById("models-again");
  const state = document.getElementById("models-state");
  const tables = document.getElementById("models-tables");
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
    tables.replaceChildren(...groups(models ?? []).flatMap(table));
  }
}

/** The models of each dataset, that of reviews and the best models first. */
function groups(models) {
  const datasets = [...new Set(models.map(({ dataset }) => dataset))];
  datasets.sort((one, other) => (other === OF_REVIEWS) - (one === OF_REVIEWS));
  return datasets.map((dataset) =>
    models.filter((model) => model.dataset === dataset).sort((one, other) => other.f1 - one.f1),
  );
}

// Each role is what the element has anyway, until the style for narrow screens makes a row a card.
function table(models) {
  const [{ corpora, dataset, n_test }] = models;
  const title = element("h3", "", text(`models.of.${dataset}`, { corpora: names(corpora) }));
  title.id = `models-of-${dataset}`;
  const items = element("p", "hint", text(`models.tested.${dataset}`, { count: n_test }));
  const columns = METRICS.concat(models.some(({ cases }) => cases !== null) ? ["cases"] : []);
  const shown = withRole("table", "table");
  shown.setAttribute("aria-labelledby", title.id);
  shown.append(head(columns), ...models.map((model) => body(model, columns)));
  return [title, items, shown];
}

function head(columns) {
  const row = withRole("tr", "row");
  for (const name of ["model", ...columns]) {
    const cell = withRole("th", "columnheader", text(`models.${name}`));
    cell.scope = "col";
    row.append(cell);
  }
  const group = withRole("thead", "rowgroup");
  group.append(row);
  return group;
}

function body(model, columns) {
  const group = withRole("tbody", "rowgroup");
  group.append(row(model.best ? "ours best" : "ours", title(model), model, columns));
  if (model.tutorial) {
    const name = withRole("th", "rowheader", text("models.tutorial"));
    group.append(row("theirs", name, model.tutorial, columns));
  }
  return group;
}

function title(model) {
  const name = withRole("th", "rowheader");
  if (model.title === null) {
    name.append(element("code", "", model.name));
  } else {
    name.append(TITLES[language()][model.title] ?? model.title);
  }
  if (model.best) name.append(" ", element("span", "badge", text("compare.best")));
  const meaning = MODELS[language()][model.name];
  if (meaning) name.append(" ", element("span", "hint", meaning));
  return name;
}

function row(kind, name, metrics, columns) {
  name.scope = "row";
  const line = withRole("tr", "row");
  line.className = kind;
  line.append(name, ...columns.map((metric) => cell(metric, metrics[metric])));
  return line;
}

function cell(metric, value) {
  const made = withRole("td", "cell", value == null ? NONE : fixed(value, 3));
  made.className = value == null ? "none" : "";
  made.dataset.column = text(`models.${metric}`);
  return made;
}

function withRole(tag, role, content = "") {
  const made = element(tag, "", content);
  made.setAttribute("role", role);
  return made;
}
