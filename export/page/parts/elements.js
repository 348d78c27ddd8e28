"use strict";
/* Elements of the page. */

function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in made) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

function byId(id) {
  return document.getElementById(id);
}

/* The panels as tabs, by the pattern of the ARIA Authoring Practices: arrows go from tab to tab. */
function makeTabs(list, whenShown) {
  const tabs = [...list.querySelectorAll('[role="tab"]')].filter((tab) => !tab.hidden);
  const show = (shown) => {
    for (const tab of tabs) {
      const isShown = tab === shown;
      tab.setAttribute("aria-selected", String(isShown));
      tab.tabIndex = isShown ? 0 : -1;
      byId(tab.dataset.panel).hidden = !isShown;
    }
    shown.scrollIntoView({ block: "nearest", inline: "nearest" });
    whenShown(shown.dataset.panel);
  };
  tabs.forEach((tab, i) => {
    const panel = byId(tab.dataset.panel);
    tab.id = `tab-${tab.dataset.panel}`;
    tab.setAttribute("aria-controls", panel.id);
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-labelledby", tab.id);
    tab.addEventListener("click", () => show(tab));
    tab.addEventListener("keydown", (event) => {
      const to = { ArrowRight: i + 1, ArrowLeft: i - 1, Home: 0, End: tabs.length - 1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      const next = tabs.at(to % tabs.length);
      next.focus();
      show(next);
    });
  });
  show(tabs[0]);
}

/* Shows the value of every range beside its label, with its unit. */
function showRange(input) {
  const output = document.querySelector(`output[for="${input.id}"]`);
  const unit = input.dataset.unit ? ` ${input.dataset.unit}` : "";
  const update = () => {
    output.value = `${input.value}${unit}`;
  };
  input.addEventListener("input", update);
  update();
}

function setRange(input, { min = input.min, max = input.max, value = input.value }) {
  Object.assign(input, { min, max });
  input.value = value;
  input.dispatchEvent(new Event("input"));
}

/* Characters that the arrow keys go through, one of which has the focus.

   `characters` are `{text, label, heat, isChanged}`; `whenChosen` is told the index of the one that
   is focused or pressed. Words are kept together, so that lines break between them. */
class CharacterStrip {
  constructor(container, whenChosen) {
    this.container = container;
    this.whenChosen = whenChosen;
    this.buttons = [];
    this.chosen = 0;
    container.addEventListener("keydown", (event) => this.#move(event));
  }

  show(characters, isChosenMarked = false) {
    const hadFocus = this.container.contains(document.activeElement);
    this.container.replaceChildren();
    this.buttons = [];
    this.word = null;
    this.isChosenMarked = isChosenMarked;
    this.add(characters);
    this.#mark(Math.min(this.chosen, this.buttons.length - 1));
    if (hadFocus) this.buttons[this.chosen]?.focus();
  }

  /* Shows more characters at the end. */
  add(characters) {
    const added = [];
    for (const character of characters) {
      const button = this.#button(character, this.buttons.length);
      this.buttons.push(button);
      if (!this.word) added.push((this.word = element("span", { className: "word" })));
      this.word.append(button);
      if (/\s/.test(character.text)) this.word = null;
      if (character.text === "\n") added.push(element("br"));
    }
    this.container.append(...added);
  }

  choose(index) {
    if (!this.buttons.length) return;
    this.#mark(Math.max(0, Math.min(index, this.buttons.length - 1)));
    this.whenChosen(this.chosen);
  }

  #button({ text, label, heat, isChanged }, i) {
    const shown = { " ": "\u00a0", "\n": "↵", "\t": "⇥" }[text] ?? text;
    const button = element("button", { type: "button", tabIndex: -1, className: "character" }, shown);
    button.setAttribute("aria-label", label);
    if (heat !== undefined) button.style.setProperty("--heat", `${Math.round(100 * heat)}%`);
    button.classList.toggle("changed", Boolean(isChanged));
    button.addEventListener("click", () => this.choose(i));
    button.addEventListener("focus", () => i === this.chosen || this.choose(i));
    button.addEventListener("pointerenter", () => button.dispatchEvent(
      new CustomEvent("hover", { bubbles: true, detail: i })));
    return button;
  }

  #mark(index) {
    const before = this.buttons[this.chosen], button = this.buttons[index];
    before?.removeAttribute("aria-current");
    if (before) before.tabIndex = -1;
    if (button) button.tabIndex = 0;
    this.chosen = Math.max(0, index);
    if (this.isChosenMarked) button?.setAttribute("aria-current", "true");
  }

  #move(event) {
    const last = this.buttons.length - 1;
    const to = { ArrowRight: this.chosen + 1, ArrowLeft: this.chosen - 1, Home: 0, End: last };
    if (!(event.key in to)) return;
    event.preventDefault();
    this.choose(to[event.key]);
    this.buttons[this.chosen].focus();
  }
}

/* What stands for a character that cannot be seen, or only with another. */
function characterName(character) {
  const name = { " ": "space", "\n": "line break", "\t": "tab", "\ufffd": "unknown" }[character];
  if (name || /[\p{L}\p{N}\p{P}\p{S}]/u.test(character)) return name ?? character;
  return `U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
}

/* A sentence about the characters of a text that the model does not know; empty if there are none. */
function unknownCharacters(text) {
  const unknown = [...new Set(text)].filter((character) => !model.characters.has(character));
  const named = unknown.slice(0, 8).map((c) => `“${characterName(c)}”`).join(", ");
  return unknown.length ? ` The model does not know ${named}${unknown.length > 8 ? " and more" : ""}.` : "";
}
