"use strict";
/* The noise of a sequence: drag the numbers of one step, and see what becomes of it. */

const FRESH_STEPS = { text: 60, music: 32 };
const LEAST_NOISE_RANGE = 3;

class NoisePanel {
  constructor() {
    this.form = byId("noise");
    this.step = 0;
    this.source = model.isMusic && new PieceSource(byId("noise-source"), composedFresh);
    this.piece = model.isMusic && new Piece(byId("noise-piece"), { whenMoved: (step) => this.choose(step) });
    this.strip = new CharacterStrip(byId("noise-characters"), (step) => this.choose(step));
    this.task = new Task(this.form.querySelector(".task"), this.form, () => this.#read());
    this.latest = new Latest((noise) => this.#decode(noise));
    byId("noise-fresh").addEventListener("click", () => {
      this.latest.clear();
      this.task.run(() => this.#begin(this.#fresh()));
    });
    byId("noise-shake").addEventListener("click", () => this.#change(normalNumbers(model.noiseSize, freshSeed())));
    byId("noise-back").addEventListener("click", () => this.#change(this.#ofStep(this.before)));
    byId("noise-all-back").addEventListener("click", () => {
      this.noise = this.before.slice();
      this.#ask();
      this.#showSliders();
    });
    this.#makeSliders();
  }

  choose(step) {
    if (!this.noise || step === this.step) return;
    this.step = step;
    this.#showSliders();
  }

  async #read() {
    const sequence = model.isMusic ? this.source.chosen(model.maxLength) : textOf(byId("noise-text"), "text");
    const tempo = this.source?.tempo;
    const [noise] = await model.encode([sequence], this.task);
    const said = await this.#begin(noise, tempo);
    return model.isMusic ? said : said + unknownCharacters(sequence);
  }

  #fresh() {
    const steps = Math.min(model.maxLength, FRESH_STEPS[model.isMusic ? "music" : "text"]);
    return normalNumbers(steps * model.noiseSize, freshSeed());
  }

  /* Starts from some noise; what is changed later is compared with what it gives now. */
  async #begin(noise, tempo = DEFAULT_TEMPO) {
    const [decoded] = await model.decode([noise], this.task);
    Object.assign(this, { noise: noise.slice(), before: noise, first: decoded, tempo });
    byId("noise-shown").hidden = byId("noise-step").hidden = false;
    byId("noise-before").textContent = model.isMusic ? "" : decoded;
    this.step = Math.min(this.step, noise.length / model.noiseSize - 1);
    this.#show(decoded);
    this.#showSliders();
    return `${counted(noise.length / model.noiseSize, "step")} of ${counted(model.noiseSize, "number")}. ` +
      "Choose a step, and drag its numbers.";
  }

  #ofStep(noise) {
    return noise.subarray(this.step * model.noiseSize, (this.step + 1) * model.noiseSize);
  }

  #makeSliders() {
    this.sliders = Array.from({ length: model.noiseSize }, (_, k) => {
      const slider = element("input", { type: "range", min: -LEAST_NOISE_RANGE, max: LEAST_NOISE_RANGE, step: 0.05 });
      slider.id = `noise-slider-${k}`;
      const output = element("output", { htmlFor: slider.id });
      const label = element("label", { htmlFor: slider.id }, `Number ${k + 1} `, output);
      slider.addEventListener("input", () => {
        this.#ofStep(this.noise)[k] = Number(slider.value);
        output.value = Number(slider.value).toFixed(2);
        this.#ask();
      });
      byId("noise-sliders").append(element("div", {}, label, slider));
      return { slider, output };
    });
  }

  #showSliders() {
    byId("noise-step-number").textContent = this.step + 1;
    const values = this.#ofStep(this.noise);
    this.sliders.forEach(({ slider, output }, k) => {
      const range = Math.max(LEAST_NOISE_RANGE, Math.ceil(Math.abs(values[k])));
      Object.assign(slider, { min: -range, max: range });
      slider.value = values[k];
      output.value = values[k].toFixed(2);
    });
  }

  #change(values) {
    this.#ofStep(this.noise).set(values);
    this.#showSliders();
    this.#ask();
  }

  /* Asks what the noise gives now, once the last answer has come. */
  #ask() {
    this.latest.ask(this.noise.slice());
  }

  async #decode(noise) {
    const isDone = await this.task.run(async () => {
      const [decoded] = await model.decode([noise], this.task);
      return this.#show(decoded);
    });
    if (!isDone) this.latest.clear();
  }

  /* Shows a sequence with what has changed in it, and returns that in words. */
  #show(decoded) {
    return model.isMusic ? this.#showMusic(decoded) : this.#showText([...decoded]);
  }

  #showMusic(roll) {
    const changed = changedSteps(this.first, roll);
    this.piece.show(roll, { before: this.first, tempo: this.tempo });
    return changesInWords(changed, roll.steps);
  }

  #showText(characters) {
    const first = [...this.first];
    const changed = new Set([...characters.keys()].filter((i) => characters[i] !== first[i]));
    this.strip.show(characters.map((text, i) => ({
      text,
      label: `Step ${i + 1}: ${characterName(text)}${changed.has(i) ? `, before ${characterName(first[i])}` : ""}`,
      isChanged: changed.has(i),
    })), true);
    return changesInWords(changed, characters.length);
  }
}

function changesInWords(changed, steps) {
  if (!changed.size) return `The ${model.isMusic ? "piece" : "text"} has not changed.`;
  const have = changed.size === 1 ? "has" : "have";
  return `${changed.size} of ${counted(steps, "step")} ${have} changed, the first is step ${Math.min(...changed) + 1}.`;
}
