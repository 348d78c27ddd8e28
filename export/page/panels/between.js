"use strict";
/* From one sequence to another: the noise of both, mixed, and decoded. */

const PLACES = 20;
const PLACES_AT_ONCE = 7;

function makeBetween() {
  const form = byId("between"), place = byId("between-place"), all = byId("between-all");
  const sources = model.isMusic && ["first", "last"].map((which) =>
    new PieceSource(byId(`between-source-${which}`), composedFresh));
  const piece = model.isMusic && new Piece(byId("between-piece"));
  let way = [], tempo;
  const ends = () => {
    if (model.isMusic) return sources.map((source) => source.chosen(model.maxLength));
    return ["between-first", "between-last"].map((id) => textOf(byId(id), "sentence"));
  };
  const show = () => {
    const index = Number(place.value);
    byId("between-way").hidden = !way.length;
    if (!way.length) return;
    if (model.isMusic) return piece.show(way[index], { tempo });
    byId("between-text").textContent = way[index];
    for (const [i, row] of [...all.children].entries()) {
      if (i === index) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    }
  };
  const task = new Task(form.querySelector(".task"), form, async () => {
    const tempoOfFirst = model.isMusic && sources[0].tempo;
    const given = ends();
    const [first, last] = await model.encode(given, task);
    if (!first.length || !last.length) throw new InputError("The model cannot read one of the two.");
    const found = [];
    for (let i = 0; i <= PLACES; i += PLACES_AT_ONCE) {
      task.progress(i, PLACES + 1);
      const places = Array.from({ length: Math.min(PLACES_AT_ONCE, PLACES + 1 - i) }, (_, k) => i + k);
      const noises = places.map((k) => noiseBetween(first, last, k / PLACES, model.noiseSize));
      found.push(...(await model.decode(noises, task)));
    }
    [way, tempo] = [found, tempoOfFirst];
    if (!model.isMusic) all.replaceChildren(...way.map((text, i) => rung(text, i, place)));
    setRange(place, { max: PLACES, value: 0 });
    show();
    const unknown = model.isMusic ? "" : unknownCharacters(given.join(""));
    return `Move the slider to go from one end to the other.${unknown}`;
  });
  place.addEventListener("input", show);
}

function rung(text, index, place) {
  const button = element("button", { type: "button" }, text);
  button.addEventListener("click", () => setRange(place, { value: index }));
  return element("li", {}, button);
}

/* The text of a field, which the model can read.

   Throws an InputError if it cannot. */
function textOf(field, what) {
  const text = field.value.replace(/\s*\n\s*/g, " ").trim();
  if (!text) throw new InputError(`Write a ${what} first.`);
  if ([...text].length > model.maxLength) {
    throw new InputError(`The model reads at most ${model.maxLength} characters; this has ${[...text].length}.`);
  }
  return text;
}
