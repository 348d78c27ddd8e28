"use strict";
/* Music from nothing, and from a piece: continued or varied. */

function makeComposing() {
  const form = byId("compose"), length = byId("compose-length");
  const piece = new Piece(byId("compose-piece"));
  const task = new Task(form.querySelector(".task"), form, async () => {
    const roll = await composed(Number(length.value), Number(form.temperature.value), Number(form.seed.value), task);
    piece.show(roll);
    return `${rollInWords(roll)}.`;
  });
  setRange(length, { max: model.maxLength, value: Math.min(48, model.maxLength) });
}

/* A new roll of the model. */
async function composed(length, temperature, seed, task) {
  const inputs = { length: [length], seed: [seed], temperature: [temperature] };
  return (await model.sequences("generate", inputs, task))[0];
}

/* For a `PieceSource`: a roll of 48 steps that nobody has asked for before. */
function composedFresh() {
  return composed(Math.min(48, model.maxLength), 0.8, freshSeed(), {});
}

function makeFromFile() {
  const form = byId("file");
  const source = new PieceSource(byId("file-source"), composedFresh);
  const piece = new Piece(byId("file-piece"));
  const task = new Task(form.querySelector(".task"), form, async () => {
    const given = source.chosen(model.maxLength), { tempo } = source;
    const { roll, options, said } = await (form.way.value === "vary" ? vary : goOn)(form, given, task);
    piece.show(roll, { ...options, tempo });
    // A bar before the new part.
    if (options.given) piece.view.moveTo(Math.max(0, given.steps - 4 * stepsPerBeat()));
    return said;
  });
  const update = () => {
    form.querySelector(".if-continue").hidden = form.way.value === "vary";
    form.querySelector(".if-vary").hidden = form.way.value !== "vary";
  };
  form.addEventListener("change", update);
  for (const [way, signature] of [["continue", "complete"], ["vary", "decode"]]) {
    const choice = form.querySelector(`[value="${way}"]`);
    choice.disabled = !model.has(signature);
    if (choice.disabled && choice.checked) choice.checked = false;
  }
  form.querySelector('[name="way"]:not(:disabled)').checked = true;
  update();
}

/* A roll, how it is shown, and what is said of it. */
async function goOn(form, given, task) {
  if (given.steps >= model.maxLength) {
    throw new InputError(`The model makes pieces of at most ${model.maxLength} steps. Use fewer of yours.`);
  }
  const length = Math.min(model.maxLength, given.steps + Number(form.more.value));
  const [roll] = await model.sequences("complete", {
    roll_bytes: [model.packed(given)], length: [length], seed: [Number(form.seed.value)],
    temperature: [Number(form.temperature.value)],
  }, task);
  const yours = given.steps === 1 ? "The first step is" : `The first ${given.steps} steps are`;
  const added = roll.steps - given.steps;
  const said = `${yours} yours; the other ${added === 1 ? "one is" : `${added} are`} new.`;
  return { roll, options: { given: given.steps }, said };
}

/* Likewise. */
async function vary(form, given, task) {
  const [noise] = await model.encode([given], task);
  const varied = variedNoise(noise, Number(form.amount.value), Number(form.seed.value));
  const [roll] = await model.decode([varied], task);
  const { size } = changedSteps(given, roll);
  const [differ, are] = size === 1 ? ["differs", "it is"] : ["differ", "they are"];
  const marked = size ? `; ${are} marked` : "";
  const said = `${size} of ${counted(roll.steps, "step")} ${differ} from your piece${marked}.`;
  return { roll, options: { before: given }, said };
}
