"use strict";
/* A piece on the page: its roll, and what plays and saves it. */

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
    this.tempo = element("input", { type: "range", min: 40, max: 200, value: 100, step: 5 });
    this.tempo.setAttribute("aria-label", "Tempo, beats in a minute");
    const beats = element("output", {}, "100");
    this.tempo.addEventListener("input", () => (beats.value = this.tempo.value));
    const save = element("button", { type: "button", className: "save" }, "Download MIDI");
    place.append(
      element("p", { className: "actions" }, this.button, save,
        element("span", { className: "tempo" }, "Tempo", this.tempo, beats)),
      this.readout);
    this.button.addEventListener("click", () => (this.isPlaying ? player.stop() : this.#play()));
    save.addEventListener("click", () => this.#save());
  }

  get roll() {
    return this.view.roll;
  }

  show(roll, options = {}) {
    if (this.isPlaying) player.stop();
    this.stepsPerBeat = options.stepsPerBeat ?? stepsPerBeat();
    this.place.hidden = false;
    this.view.show(roll, { ...options, stepsPerBeat: this.stepsPerBeat });
    this.readout.textContent = this.view.describe(this.view.step);
  }

  #play() {
    const from = this.view.step >= this.roll.steps - 1 ? 0 : this.view.step;
    this.isPlaying = true;
    this.button.textContent = "Stop";
    const seconds = 60 / this.tempo.value / this.stepsPerBeat;
    player.play(this.roll, from, seconds, (step) => this.view.moveTo(step, false), () => {
      this.isPlaying = false;
      this.button.textContent = "Play";
    });
  }

  #save() {
    const bytes = writeMidi(this.roll, this.stepsPerBeat, Number(this.tempo.value));
    const url = URL.createObjectURL(new Blob([bytes], { type: "audio/midi" }));
    element("a", { href: url, download: `${this.name}.mid` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  }
}

/* How many steps of the model are a beat. The server does not say it: it is the user's choice. No
   form checks the limits of this input. */
function stepsPerBeat() {
  const input = byId("steps-per-beat"), steps = Math.round(Number(input.value)) || 2;
  return Math.min(Math.max(steps, Number(input.min)), Number(input.max));
}
