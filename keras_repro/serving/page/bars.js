// A bar for each of several classes.

import { percent } from "./language.js";

/** Return an item of a list for each [name, probability, whether it is the answer]. */
export function bars(classes) {
  return classes.map(([name, probability, best]) => {
    const item = element("li", best ? "best" : "");
    const bar = element("span", "bar");
    // Properties may be set where the policy forbids style attributes.
    bar.style.setProperty("--value", probability);
    const shown = element("span", "percent", percent(probability));
    item.append(element("span", "class", name), bar, shown);
    return item;
  });
}

export function element(tag, className = "", textContent = "") {
  return Object.assign(document.createElement(tag), { className, textContent });
}
