"use strict";
/* Finds the model, and shows what it can do. */

let model = null;
let connecting = new AbortController();

/* Where the model is: what the server that sent this page says, or else what the user says. */
function addressOfModel() {
  const named = document.querySelector('meta[name="model"]').content;
  if (location.protocol.startsWith("http") && named) return new URL(named, document.baseURI).href;
  const kept = decodeURIComponent(location.hash.slice(1));
  byId("url").value = kept.startsWith("http") ? kept : named.startsWith("http") ? named : "";
  return null;
}

function say(text, isError = false) {
  const said = byId("connection");
  said.classList.toggle("error", isError);
  said.textContent = text;
  said.hidden = !text;
  return said;
}

async function connect(url) {
  connecting.abort();
  connecting = new AbortController();
  const { signal } = connecting;
  const isGiven = !byId("connect").hidden; // The user gave the address.
  say("Looking for the model.");
  try {
    model = await Model.connect(url, signal);
  } catch (error) {
    const found = isGiven && error instanceof UnreachableError ? await whyUnanswered(url, signal) : error;
    if (signal.aborted) return;
    if (isGiven) return say(found.message.includes(url) ? found.message : `${url}: ${found.message}`, true);
    const again = element("button", { type: "button" }, "Try again");
    again.addEventListener("click", () => connect(url));
    return say(found.message, true).append(" ", again);
  }
  say("");
  byId("connect").hidden = true;
  showModel();
}

/* Connects to the address that the user gave, and keeps it in that of the page. */
function connectTo(entered) {
  try {
    const url = addressOf(entered);
    history.replaceState(null, "", `#${url}`);
    connect(url);
  } catch (error) {
    connecting.abort();
    say(error.message, true);
  }
}

function showModel() {
  const kind = model.isMusic ? "music" : "text";
  document.title = `${model.server.name}: a model in the browser`;
  byId("title").textContent = model.server.name;
  byId("subtitle").textContent = `A model of ${kind}. Everything here is made by it while you watch.`;
  for (const part of document.querySelectorAll("[data-kind]")) part.hidden = part.dataset.kind !== kind;
  for (const tab of document.querySelectorAll('[role="tab"]')) {
    tab.hidden ||= Boolean(tab.dataset.needs) && !model.has(tab.dataset.needs);
  }
  for (const panel of document.querySelectorAll("main .panel")) panel.hidden = true;
  byId("main").hidden = false;
  byId("settings").hidden = !model.isMusic;
  document.querySelectorAll('input[type="range"][data-unit], input[type="range"][name]').forEach(showRange);
  showRange(byId("between-place"));
  if (model.isMusic) {
    makeBeats();
    makeComposing();
    makeFromFile();
  } else {
    makeWriting();
    if (model.has("score_steps")) makeSurprise();
  }
  if (model.has("decode")) {
    makeBetween();
    new NoisePanel();
  }
  makeTabs(document.querySelector('[role="tablist"]'), () => player.stop());
}

for (const dice of document.querySelectorAll(".dice")) {
  dice.addEventListener("click", () => (byId(dice.dataset.for).value = freshSeed()));
  dice.setAttribute("aria-label", "A new seed");
}
// A file that misses its zone would take the place of the page.
for (const name of ["dragover", "drop"]) addEventListener(name, (event) => event.preventDefault());

byId("connect").addEventListener("submit", (event) => {
  event.preventDefault();
  connectTo(byId("url").value.trim());
});

{
  const address = addressOfModel();
  if (address) connect(address);
  else {
    byId("connect").hidden = false;
    byId("connection").hidden = true;
    if (byId("url").value && location.hash) connectTo(byId("url").value);
  }
}
