"use strict";
/* Work that takes a while: it shows itself, and can be stopped. */

class Task {
  /* `place` gets a button that begins, one that stops, a bar and a line of text. Enter in `form`
     begins too. `work` is given this task (`signal`, `say`, `progress`, `waits`), and returns what
     is said at its end. */
  constructor(place, form, work) {
    this.work = work;
    this.go = element("button", { className: "go", type: "submit" }, place.dataset.go);
    this.stop = element("button", { className: "stop", type: "button", hidden: true }, "Stop");
    this.bar = element("progress", { hidden: true });
    this.bar.setAttribute("aria-label", "Progress");
    this.clock = element("span", { className: "clock" });
    this.clock.setAttribute("aria-hidden", "true");
    this.status = element("p", { className: "status" });
    this.status.setAttribute("role", "status");
    const buttons = element("p", { className: "actions" }, this.go, this.stop, this.bar, this.clock);
    place.append(buttons, this.status);
    this.waits = (seconds) => this.say(`The server is busy. Trying again in ${seconds} s.`);
    this.stop.addEventListener("click", () => this.cancel());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.stop.hidden) this.run();
    });
  }

  /* Does the work, or `work` in its place; what is at work already is stopped before. */
  async run(work = this.work) {
    this.cancel();
    const controller = new AbortController();
    this.controller = controller;
    this.signal = controller.signal;
    this.#show(true);
    this.say("Working.");
    const isLatest = () => this.controller === controller;
    try {
      const said = await work(this);
      if (isLatest()) this.say(said ?? "Done.");
      return true;
    } catch (error) {
      if (!isLatest()) return false;
      if (error.name === "AbortError") this.say("Stopped.");
      else this.fail(error);
      return false;
    } finally {
      if (isLatest()) this.#show(false);
    }
  }

  cancel() {
    this.controller?.abort();
  }

  say(text) {
    this.status.classList.remove("error");
    this.status.setAttribute("role", "status");
    if (this.status.textContent !== text) this.status.textContent = text;
  }

  fail(error) {
    if (!isOurs(error)) console.error(error);
    this.status.classList.add("error");
    this.status.setAttribute("role", "alert");
    this.status.textContent = isOurs(error) ? error.message : `Something went wrong: ${error.message}`;
  }

  progress(done, all) {
    this.bar.max = all;
    this.bar.value = done;
  }

  #show(isAtWork) {
    clearInterval(this.timer);
    if (!isAtWork && document.activeElement === this.stop) this.go.focus();
    this.stop.hidden = this.bar.hidden = !isAtWork;
    // A button that is disabled would lose the focus.
    this.go.setAttribute("aria-disabled", String(isAtWork));
    this.clock.textContent = "";
    if (!isAtWork) return;
    this.bar.removeAttribute("value");
    const begun = Date.now();
    this.timer = setInterval(() => {
      this.clock.textContent = `${Math.round((Date.now() - begun) / 1000)} s`;
    }, 1000);
  }
}

/* What someone gave the page is not enough for what was asked. */
class InputError extends Error {}

/* Whether the message of an error is for whoever looks at the page. */
function isOurs(error) {
  return error instanceof ServerError || error instanceof MidiError || error instanceof InputError;
}

/* Calls `work` with the newest value only: while one is at work, those in between are passed over. */
class Latest {
  constructor(work) {
    this.work = work;
    this.isAtWork = false;
  }

  /* Forgets what waits. */
  clear() {
    this.next = null;
  }

  async ask(value) {
    this.next = { value };
    if (this.isAtWork) return;
    this.isAtWork = true;
    try {
      while (this.next) {
        const { value } = this.next;
        this.next = null;
        await this.work(value);
      }
    } finally {
      this.isAtWork = false;
      this.next = null;
    }
  }
}
