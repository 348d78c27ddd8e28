"use strict";
/* Text from nothing, or from a beginning. */

function makeWriting() {
  const form = byId("write"), list = byId("write-texts"), range = byId("write-length");
  const task = new Task(form.querySelector(".task"), form, async () => {
    const count = Number(form.count.value), seed = Number(form.seed.value);
    const prompt = form.prompt.value, length = Number(range.value);
    const seeds = Array.from({ length: count }, (_, i) => seed + i);
    const row = (value) => seeds.map(() => value);
    const inputs = { length: row(length), seed: seeds, temperature: row(Number(form.temperature.value)) };
    const begun = [...prompt].length;
    if (begun >= model.maxLength) {
      throw new InputError(
        `The model writes at most ${model.maxLength} characters, and the beginning has ${begun}. Shorten it.`);
    }
    if (begun >= length) {
      throw new InputError("The beginning is as long as the whole text. Make the length longer.");
    }
    const texts = prompt
      ? await model.sequences("complete", { ...inputs, text: row(prompt) }, task)
      : await model.sequences("generate", inputs, task);
    list.replaceChildren(...texts.map((text, i) => shownText(text, prompt, seeds[i])));
    return `${count === 1 ? "A text" : `${count} texts`} of ${length} characters.` +
      unknownCharacters(prompt);
  });
  setRange(range, { max: model.maxLength });
  if (!model.has("complete")) form.prompt.disabled = true;
}

function shownText(text, prompt, seed) {
  const begun = text.startsWith(prompt) ? prompt : "";
  const copy = element("button", { type: "button", className: "quiet" }, "Copy");
  copy.setAttribute("aria-label", `Copy the text of seed ${seed}`);
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      copy.textContent = "Copied";
    } catch {
      copy.textContent = "Not allowed";
    }
  });
  const colour = element("button", { type: "button", className: "quiet" }, "Colour it");
  colour.addEventListener("click", () => {
    byId("surprise-text").value = text;
    byId("tab-surprise").click();
    byId("surprise").requestSubmit();
  });
  return element("li", {},
    element("p", { className: "made" }, element("span", { className: "given" }, begun), text.slice(begun.length)),
    element("p", { className: "foot" }, `Seed ${seed}`, copy, ...(model.has("score_steps") ? [colour] : [])));
}
