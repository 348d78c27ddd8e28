"use strict";
/* How many steps of the model are a beat. The server does not say it: it is the user's choice. */

let stepsInBeat = 2;

function stepsPerBeat() {
  return stepsInBeat;
}

/* What listens to the field's `change` after this finds the new number. One that cannot be is not
   used. */
function makeBeats() {
  const input = byId("steps-per-beat"), said = byId("steps-per-beat-error");
  const update = () => {
    const isGood = input.validity.valid;
    if (isGood) stepsInBeat = Number(input.value);
    input.setAttribute("aria-invalid", String(!isGood));
    said.textContent = isGood ? "" : `Give a whole number from ${input.min} to ${input.max}. Until then it is ${stepsInBeat}.`;
  };
  input.addEventListener("change", update);
  update();
}
