"use strict";
/* A piano roll on a canvas: time goes to the right, a step at a time; high notes are above.

   It is a slider over the steps: arrows go a step on, Page keys a bar; each step says its notes. */

const ROW_HEIGHT = 7;
const LEAST_STEP_WIDTH = 9;
const KEYS_WIDTH = 34;
const KEY_HEIGHT = 12;
const LEAST_ROWS = 24;
const MARK_HEIGHT = 5;

class RollView {
  constructor(container, label, whenMoved = () => {}) {
    this.whenMoved = whenMoved;
    this.roll = emptyRoll(0);
    this.step = 0;
    this.canvas = element("canvas", { tabIndex: 0 });
    this.canvas.setAttribute("role", "slider");
    this.canvas.setAttribute("aria-label", label);
    this.canvas.setAttribute("aria-valuemin", "1");
    this.keys = element("div", { className: "keys" });
    this.keys.setAttribute("aria-hidden", "true");
    this.keys.style.width = `${KEYS_WIDTH}px`;
    this.scroller = element("div", { className: "roll" }, this.keys, this.canvas);
    container.append(this.scroller);
    this.canvas.addEventListener("keydown", (event) => this.#key(event));
    this.canvas.addEventListener("pointerdown", (event) => this.#pointed(event));
    new ResizeObserver(() => this.draw()).observe(this.scroller);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  /* `given`: how many steps were there before. `before`: a roll, from which what differs is marked. */
  show(roll, { given = 0, before = null, stepsPerBeat = 2 } = {}) {
    Object.assign(this, { roll, given, before, stepsPerBeat });
    const notes = heldNotes(roll).map((held) => held.note);
    const low = notes.length ? Math.min(...notes) : 39;
    const high = notes.length ? Math.max(...notes) : 39;
    const more = Math.max(2, Math.ceil((LEAST_ROWS - (high - low + 1)) / 2));
    this.low = Math.max(0, low - more);
    this.high = Math.min(NUM_NOTES - 1, high + more);
    this.#nameKeys();
    this.canvas.setAttribute("aria-valuemax", String(Math.max(1, roll.steps)));
    this.moveTo(Math.min(this.step, Math.max(0, roll.steps - 1)), false);
  }

  moveTo(step, isTold = true) {
    this.step = step;
    this.canvas.setAttribute("aria-valuenow", String(step + 1));
    this.canvas.setAttribute("aria-valuetext", this.describe(step));
    this.draw();
    if (isTold) this.whenMoved(step);
  }

  describe(step) {
    if (!this.roll.steps) return "empty";
    const beat = Math.floor(step / this.stepsPerBeat) + 1;
    const names = notesAt(this.roll, step).map(noteName).join(" ");
    return `Step ${step + 1}, beat ${beat}: ${names || "silence"}`;
  }

  draw() {
    const width = this.scroller.clientWidth;
    if (!width || !this.roll.steps) return;
    this.stepWidth = Math.max(LEAST_STEP_WIDTH, Math.min(24, (width - KEYS_WIDTH) / this.roll.steps));
    const size = [Math.ceil(this.stepWidth * this.roll.steps), (this.high - this.low + 1) * ROW_HEIGHT + MARK_HEIGHT];
    const scale = window.devicePixelRatio || 1;
    [this.canvas.width, this.canvas.height] = size.map((pixels) => pixels * scale);
    this.canvas.style.width = `${size[0]}px`;
    this.canvas.style.height = `${size[1]}px`;
    const pen = this.canvas.getContext("2d");
    pen.scale(scale, scale);
    this.#drawGrid(pen, ...size);
    this.#drawNotes(pen, ...size);
    this.#drawChanges(pen, size[1]);
    this.#drawCursor(pen, size[1]);
    this.#keepInSight();
  }

  #x(step) {
    return step * this.stepWidth;
  }

  #y(note) {
    return (this.high - note) * ROW_HEIGHT;
  }

  #color(name) {
    return getComputedStyle(this.canvas).getPropertyValue(name);
  }

  /* The names of the Cs, which stay in sight when the roll is scrolled. */
  #nameKeys() {
    const names = [];
    for (let n = this.low; n <= this.high; n++) {
      if ((LOWEST_NOTE + n) % 12) continue;
      const name = element("span", {}, noteName(n));
      name.style.top = `${Math.max(0, this.#y(n) + (ROW_HEIGHT - KEY_HEIGHT) / 2)}px`;
      names.push(name);
    }
    this.keys.replaceChildren(...names);
  }

  #drawGrid(pen, width, height) {
    pen.fillStyle = this.#color("--row");
    for (let n = this.low; n <= this.high; n++) {
      const isBlack = [1, 3, 6, 8, 10].includes((LOWEST_NOTE + n) % 12);
      if (isBlack) pen.fillRect(0, this.#y(n), width, ROW_HEIGHT);
    }
    if (this.given) {
      pen.fillStyle = this.#color("--given-ground");
      pen.fillRect(0, 0, this.given * this.stepWidth, height);
    }
    pen.fillStyle = this.#color("--line");
    for (let t = 0; t <= this.roll.steps; t += this.stepsPerBeat) {
      pen.fillRect(this.#x(t), 0, t % (4 * this.stepsPerBeat) ? 0.5 : 1.5, height);
    }
  }

  /* What is given and what is new differ in colour, also within a note that is held over. */
  #drawNotes(pen, width, height) {
    const border = this.#x(this.given);
    for (const [color, from, to] of [["--given", 0, border], ["--note", border, width]]) {
      pen.save();
      pen.beginPath();
      pen.rect(from, 0, to - from, height);
      pen.clip();
      pen.fillStyle = this.#color(color);
      for (const { note, start, end } of heldNotes(this.roll)) {
        pen.beginPath();
        pen.roundRect(this.#x(start) + 0.5, this.#y(note) + 0.5, (end - start) * this.stepWidth - 1.5, ROW_HEIGHT - 1, 2);
        pen.fill();
      }
      pen.restore();
    }
  }

  /* A bar below each step that differs, and its new notes in the same colour. */
  #drawChanges(pen, height) {
    if (!this.before) return;
    pen.fillStyle = this.#color("--mark");
    for (const t of changedSteps(this.before, this.roll)) {
      pen.fillRect(this.#x(t), height - MARK_HEIGHT, this.stepWidth - 1, MARK_HEIGHT);
      for (const n of notesAt(this.roll, t)) {
        if (!this.before.notes[t * NUM_NOTES + n]) {
          pen.fillRect(this.#x(t) + 0.5, this.#y(n) + 0.5, this.stepWidth - 1, ROW_HEIGHT - 1);
        }
      }
    }
  }

  #drawCursor(pen, height) {
    pen.strokeStyle = this.#color("--accent");
    pen.lineWidth = 2;
    pen.strokeRect(this.#x(this.step) + 1, 1, this.stepWidth - 2, height - 2);
  }

  #keepInSight() {
    const left = this.#x(this.step), shown = this.scroller.clientWidth - KEYS_WIDTH;
    if (left < this.scroller.scrollLeft) this.scroller.scrollLeft = left;
    else if (left + this.stepWidth > this.scroller.scrollLeft + shown) {
      this.scroller.scrollLeft = left - shown / 4; // What follows is in sight too.
    }
  }

  #key(event) {
    const bar = 4 * (this.stepsPerBeat ?? 2), last = this.roll.steps - 1;
    const to = {
      ArrowRight: this.step + 1, ArrowUp: this.step + 1, ArrowLeft: this.step - 1, ArrowDown: this.step - 1,
      PageUp: this.step + bar, PageDown: this.step - bar, Home: 0, End: last,
    }[event.key];
    if (to === undefined || last < 0) return;
    event.preventDefault();
    this.moveTo(Math.max(0, Math.min(last, to)));
  }

  #pointed(event) {
    const step = Math.floor(event.offsetX / this.stepWidth);
    if (this.roll.steps) this.moveTo(Math.max(0, Math.min(this.roll.steps - 1, step)));
  }
}
