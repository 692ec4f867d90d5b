// A review is asked about: by this model, and by others beside it.

import { renderComparison } from "./comparison.js";
import { onLanguage, text } from "./language.js";
import { asker, Fault, faultIn, request } from "./service.js";
import { EXAMPLES } from "./strings.js";
import { renderAnswer } from "./verdict.js";
import { characters, INVISIBLE } from "./words.js";

const MOST = 10_000; // characters that the service reads

export function startReview() {
  const form = document.getElementById("review");
  const field = document.getElementById("review-text");
  const fault = faultIn(document.getElementById("review-error"));
  const asking = asker(form, fault);
  let answer = null;
  let others = null;
  let judged = null;

  onLanguage(count);
  onLanguage(() => {
    if (answer === null) return;
    renderAnswer(answer, judged);
    renderComparison(others);
    markChange();
  });
  offerExamples(field, form);

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
    ask(content);
  });

  document.getElementById("review-clear").addEventListener("click", () => replace(field, ""));

  // What a browser has kept of an earlier visit stays.
  if (field.value === "") {
    field.value = EXAMPLES[0];
    count();
    ask(EXAMPLES[0]);
  }

  function ask(content) {
    asking.ask("explain", { text: content }, (given) => {
      renderAnswer(given, content);
      answer = given; // only now, as it may be garbled
      judged = content;
      others = null;
      renderComparison(others);
      markChange();
      compare(content);
    });
  }

  /** Ask the other models, too; without their answers the page says what it says. */
  async function compare(content) {
    try {
      const { models } = await request("compare", { body: { text: content } });
      if (content !== judged) return;
      renderComparison(models);
      others = models;
    } catch (error) {
      console.warn(error);
    }
  }

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

  function markChange() {
    if (answer === null) return;
    const wanted = field.value === judged ? "" : text("review.changed");
    const note = document.querySelector("#review-verdict .changed");
    // Written anew at each key, it would be read out at each key.
    if (note.textContent !== wanted) note.textContent = wanted;
  }
}

/** Offer reviews; one that is taken is judged at once. */
function offerExamples(field, form) {
  const list = document.getElementById("review-examples");
  for (const example of EXAMPLES) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", lang: "zh-CN", textContent: example });
    button.addEventListener("click", () => {
      replace(field, example);
      form.requestSubmit();
    });
    const item = document.createElement("li");
    item.append(button);
    list.append(item);
  }
}

/** Put another text into the field, so that undo brings back what was there. */
function replace(field, content) {
  field.focus();
  field.select();
  // Deprecated, and the only way.
  document.execCommand(content ? "insertText" : "delete", false, content);
}
