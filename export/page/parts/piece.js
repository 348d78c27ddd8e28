"use strict";
/* A piece on the page: its roll, and what plays and saves it. */

const DEFAULT_TEMPO = 100;
const TEMPO_RANGE = [20, 300];

class Piece {
  constructor(place, { whenMoved = () => {} } = {}) {
    this.place = place;
    place.hidden = true;
    this.name = place.dataset.name;
    this.readout = element("p", { className: "readout" });
    this.view = new RollView(place, "Piano roll; arrow keys go through its steps", (step) => {
      this.readout.textContent = this.view.describe(step);
      whenMoved(step);
    });
    this.button = element("button", { type: "button", className: "play" }, "Play");
    this.slider = element("input", { type: "range", step: 1 });
    this.slider.setAttribute("aria-label", "Tempo, beats in a minute");
    this.beats = element("output");
    this.slider.addEventListener("input", () => this.#setTempo(Number(this.slider.value)));
    this.#setTempo(DEFAULT_TEMPO);
    const save = element("button", { type: "button", className: "save" }, "Download MIDI");
    place.append(
      element("p", { className: "actions" }, this.button, save,
        element("span", { className: "tempo" }, "Tempo", this.slider, this.beats)),
      this.readout);
    this.button.addEventListener("click", () => (this.isPlaying ? player.stop() : this.#play()));
    save.addEventListener("click", () => this.#save());
  }

  get roll() {
    return this.view.roll;
  }

  /* `tempo`: that of the given piece. What the user chose since that was shown is kept. */
  show(roll, { tempo = this.givenTempo, ...options } = {}) {
    if (this.isPlaying) player.stop();
    if (tempo !== this.givenTempo) this.#setTempo(tempo);
    this.givenTempo = tempo;
    this.stepsPerBeat = options.stepsPerBeat ?? stepsPerBeat();
    this.place.hidden = false;
    this.view.show(roll, { ...options, stepsPerBeat: this.stepsPerBeat });
    this.readout.textContent = this.view.describe(this.view.step);
  }

  /* It may be between two whole numbers, or beyond the usual ones, as in a file. */
  #setTempo(tempo) {
    this.tempo = tempo;
    const [least, most] = TEMPO_RANGE;
    Object.assign(this.slider, { min: Math.min(least, Math.floor(tempo)), max: Math.max(most, Math.ceil(tempo)) });
    this.slider.value = tempo;
    this.beats.value = Number(tempo.toFixed(1));
  }

  #play() {
    const from = this.view.step >= this.roll.steps - 1 ? 0 : this.view.step;
    this.isPlaying = true;
    this.button.textContent = "Stop";
    const seconds = 60 / this.tempo / this.stepsPerBeat;
    player.play(this.roll, from, seconds, (step) => this.view.moveTo(step, false), () => {
      this.isPlaying = false;
      this.button.textContent = "Play";
    });
  }

  #save() {
    const bytes = writeMidi(this.roll, this.stepsPerBeat, this.tempo);
    const url = URL.createObjectURL(new Blob([bytes], { type: "audio/midi" }));
    element("a", { href: url, download: `${this.name}.mid` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  }
}
