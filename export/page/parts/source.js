"use strict";
/* Where a piece comes from: a MIDI file that is dropped or chosen, or the model. */

class PieceSource {
  /* `place` gets the controls; `compose` returns a new roll of a length, for a task. */
  constructor(place, compose) {
    this.roll = null;
    this.tempo = DEFAULT_TEMPO; // Of the piece, in beats a minute.
    this.replaced = 0; // How often the piece was replaced: of two at work, the later one counts.
    const label = place.dataset.label;
    this.input = element("input", { type: "file", accept: ".mid,.midi,.kar,.rmi,.gz,audio/midi", className: "file" });
    this.input.id = `${place.id}-file`;
    this.zone = element("label", { className: "drop", htmlFor: this.input.id },
      element("strong", {}, label), element("span", {}, "Drop a MIDI file here, or choose one."));
    this.steps = element("input", { type: "range", min: 1, max: 48, value: 48, id: `${place.id}-steps` });
    const output = element("output", { htmlFor: this.steps.id });
    const ask = element("button", { type: "button", className: "quiet" }, "Let the model compose one");
    this.message = element("p", { className: "hint" });
    this.message.setAttribute("role", "status");
    this.choice = element("div", { hidden: true },
      element("label", { htmlFor: this.steps.id }, "Steps to use, from the first ", output), this.steps);
    place.append(this.zone, this.input, element("p", { className: "actions" }, ask), this.message, this.choice);
    this.steps.addEventListener("input", () => (output.value = this.steps.value));
    this.input.addEventListener("change", () => this.#open(this.input.files[0]));
    this.zone.addEventListener("dragover", (event) => this.#over(event, true));
    this.zone.addEventListener("dragleave", (event) => this.#over(event, false));
    this.zone.addEventListener("drop", (event) => {
      this.#over(event, false);
      this.#open(event.dataTransfer.files[0]);
    });
    ask.addEventListener("click", () => this.#compose(compose, ask));
    byId("steps-per-beat").addEventListener("change", () => {
      const file = this.file;
      if (file?.bytes && file.stepsPerBeat !== stepsPerBeat()) this.#replace(() => this.#read(file));
    });
  }

  /* The steps of the piece that are to be used.

     Throws an InputError if there is no piece. */
  chosen(most) {
    if (!this.roll) throw new InputError("Give a piece first: drop a MIDI file, or let the model compose one.");
    return firstSteps(this.roll, Math.min(Number(this.steps.value), most));
  }

  #over(event, isOver) {
    event.preventDefault();
    this.zone.classList.toggle("over", isOver);
  }

  /* Keeps the bytes of a file, which are read again when a beat gets other steps. */
  async #open(file) {
    if (!file) return;
    const opened = { name: file.name };
    await this.#replace(async () => {
      this.file = opened;
      opened.bytes = await midiBytes(new Uint8Array(await file.arrayBuffer()));
      return this.#read(opened);
    });
    this.input.value = "";
  }

  #read(file) {
    file.stepsPerBeat = stepsPerBeat();
    const { roll, tempo, remarks } = readMidi(file.bytes, file.stepsPerBeat);
    return { roll, tempo, said: [`${file.name}: ${rollInWords(roll)}.`, ...remarks].join(" ") };
  }

  async #compose(compose, button) {
    button.disabled = true;
    await this.#replace(async () => {
      this.file = null;
      this.#say("Composing.");
      const roll = await compose();
      return { roll, tempo: DEFAULT_TEMPO, said: `Composed by the model: ${rollInWords(roll)}.` };
    });
    button.disabled = false;
  }

  /* Drops the piece, and puts what `make` returns in its place, `{roll, tempo, said}`. */
  async #replace(make) {
    const number = ++this.replaced;
    this.roll = null;
    this.choice.hidden = true;
    this.#say("");
    try {
      const made = await make();
      if (number === this.replaced) this.#use(made);
    } catch (error) {
      if (number === this.replaced) this.#fail(error);
    }
  }

  #use({ roll, tempo, said }) {
    Object.assign(this, { roll, tempo });
    this.#say(said);
    this.choice.hidden = false;
    const most = Math.min(roll.steps, model.maxLength);
    setRange(this.steps, { max: most, value: Math.min(most, 48) });
  }

  #say(text, isError = false) {
    this.message.classList.toggle("error", isError);
    this.message.textContent = text;
  }

  #fail(error) {
    const what = this.file ? "This file cannot be read" : "Something went wrong";
    const said = isOurs(error) ? error.message : `${what}: ${error.message}`;
    this.#say(this.file ? `${this.file.name}: ${said}` : said, true);
  }
}
