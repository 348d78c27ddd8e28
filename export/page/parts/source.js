"use strict";
/* Where a piece comes from: a MIDI file that is dropped or chosen, or the model. */

class PieceSource {
  /* `place` gets the controls; `compose` returns a new roll of a length, for a task. */
  constructor(place, compose) {
    this.roll = null;
    const label = place.dataset.label;
    this.input = element("input", { type: "file", accept: ".mid,.midi,audio/midi", className: "file" });
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
    this.input.addEventListener("change", () => this.#read(this.input.files[0]));
    this.zone.addEventListener("dragover", (event) => this.#over(event, true));
    this.zone.addEventListener("dragleave", (event) => this.#over(event, false));
    this.zone.addEventListener("drop", (event) => {
      this.#over(event, false);
      this.#read(event.dataTransfer.files[0]);
    });
    ask.addEventListener("click", () => this.#compose(compose, ask));
  }

  /* The steps of the piece that are to be used.

     Throws an InputError if there is no piece. */
  chosen(most) {
    if (!this.roll) throw new InputError("Give a piece first: drop a MIDI file, or let the model compose one.");
    return firstSteps(this.roll, Math.min(Number(this.steps.value), most));
  }

  use(roll, said) {
    this.roll = roll;
    this.message.classList.remove("error");
    this.message.textContent = said;
    this.choice.hidden = false;
    const most = Math.min(roll.steps, model.maxLength);
    setRange(this.steps, { max: most, value: Math.min(most, 48) });
  }

  #over(event, isOver) {
    event.preventDefault();
    this.zone.classList.toggle("over", isOver);
  }

  async #read(file) {
    if (!file) return;
    try {
      const { roll } = readMidi(new Uint8Array(await file.arrayBuffer()), stepsPerBeat());
      this.use(roll, `${file.name}: ${roll.steps} steps, ${heldNotes(roll).length} notes.`);
    } catch (error) {
      this.#fail(error);
    }
    this.input.value = "";
  }

  async #compose(compose, button) {
    button.disabled = true;
    this.message.classList.remove("error");
    this.message.textContent = "Composing.";
    try {
      const roll = await compose();
      this.use(roll, `Composed by the model: ${roll.steps} steps, ${heldNotes(roll).length} notes.`);
    } catch (error) {
      this.#fail(error);
    }
    button.disabled = false;
  }

  #fail(error) {
    this.message.classList.add("error");
    const isOurs = error instanceof MidiError || error instanceof ServerError;
    this.message.textContent = isOurs ? error.message : `This file cannot be read: ${error.message}`;
  }
}
