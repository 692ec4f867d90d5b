// What a word does to a verdict, in words and lines.

import { text } from "./language.js";

export const INVISIBLE = /[\s\p{Cc}\p{Cf}]/gu; // what the service drops
const FULL = 1; // logits; the strongest word of a review has full strength from here on
const STRONG = 1 / 2; // of full strength
const WEAK = 1 / 20; // less hardly matters
const NAMED = 3; // words that are named as the strongest, in each direction
const SPOKEN = /[\p{L}\p{N}\p{So}]/u; // what a word or a pictogram has and punctuation has not

/** As Python counts, not the UTF-16 units of JavaScript. */
export function characters(content) {
  return Array.from(content).length;
}

/** Write a review with the strength of each word; punctuation is none and stands between them. */
export function renderWords(place, words, pushes) {
  const full = fullStrength(words);
  const items = [];
  for (const { word, effect } of words) {
    if (SPOKEN.test(word)) items.push(renderWord(word, effect / full, pushes));
    else if (items.length) items.at(-1).append(asInChinese(word));
  }
  place.replaceChildren(...items);
}

/** Name the words that push most in one direction (1 or −1), each once; empty if none does. */
export function strongest(words, direction) {
  const full = fullStrength(words);
  const pushing = words
    .filter(({ word, effect }) => SPOKEN.test(word) && (effect * direction) / full >= WEAK)
    .sort((one, other) => (other.effect - one.effect) * direction)
    .map(({ word }) => word);
  return [...new Set(pushing)].slice(0, NAMED).join(text("review.separator"));
}

/** Say so where the words stop before the text does. */
export function beginning(words, content) {
  const joined = words.map(({ word }) => word).join("");
  const letters = (string) => characters(string.normalize("NFKC").replace(INVISIBLE, ""));
  return letters(joined) < letters(content)
    ? text("review.beginning", { count: characters(joined) })
    : "";
}

/** Punctuation as wide as a character, which the model's spelling has made narrow. */
function asInChinese(punctuation) {
  return punctuation.replace(/[!,:;?]/g, (mark) =>
    String.fromCharCode(mark.charCodeAt(0) + (0xff01 - 0x21)),
  );
}

function fullStrength(words) {
  const spoken = words.filter(({ word }) => SPOKEN.test(word));
  return Math.max(FULL, ...spoken.map(({ effect }) => Math.abs(effect)));
}

function renderWord(word, strength, { towards, away }) {
  const size = Math.abs(strength);
  const [side, pushed] = strength > 0 ? ["for", towards] : ["against", away];
  const degree = size < WEAK ? "neutral" : size < STRONG ? "weak" : "strong";
  const told = text(`review.${degree}`, { pushed });
  const item = document.createElement("li");
  const shown = document.createElement("span");
  shown.className = degree === "neutral" ? "word neutral" : `word ${side}`;
  shown.textContent = word;
  shown.title = told;
  shown.style.setProperty("--strength", size);
  item.append(shown);
  if (degree !== "neutral") {
    const hidden = document.createElement("span");
    Object.assign(hidden, { className: "unseen", lang: document.documentElement.lang });
    hidden.textContent = ` (${told})`;
    item.append(hidden);
  }
  return item;
}
