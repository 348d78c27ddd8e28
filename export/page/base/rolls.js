"use strict";
/* Piano rolls: `{steps, notes}`, where notes is a Uint8Array of steps * 88 zeros and ones.

   Column n is MIDI note 21 + n, from the lowest key of a piano to the highest. The server has 11
   bytes a step, the lowest note in the highest bit of the first. */

const NUM_NOTES = 88;
const LOWEST_NOTE = 21;
const STEP_BYTES = NUM_NOTES / 8;
const NOTE_NAMES = ["C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B"];

function emptyRoll(steps) {
  return { steps, notes: new Uint8Array(steps * NUM_NOTES) };
}

function packRoll(roll) {
  const bytes = new Uint8Array(roll.steps * STEP_BYTES);
  roll.notes.forEach((on, i) => {
    if (on) bytes[i >> 3] |= 0x80 >> (i & 7);
  });
  return bytes;
}

function unpackRoll(bytes) {
  const roll = emptyRoll(bytes.length / STEP_BYTES);
  roll.notes.forEach((_, i) => {
    roll.notes[i] = (bytes[i >> 3] >> (7 - (i & 7))) & 1;
  });
  return roll;
}

function firstSteps(roll, steps) {
  const kept = Math.min(steps, roll.steps);
  return { steps: kept, notes: roll.notes.slice(0, kept * NUM_NOTES) };
}

/* The notes that sound in a step, as columns. */
function notesAt(roll, step) {
  const found = [];
  for (let n = 0; n < NUM_NOTES; n++) if (roll.notes[step * NUM_NOTES + n]) found.push(n);
  return found;
}

/* The notes of a roll, each as long as it is held: `{note, start, end}`, by start. */
function heldNotes(roll) {
  const held = [];
  for (let n = 0; n < NUM_NOTES; n++) {
    let start = -1;
    for (let t = 0; t <= roll.steps; t++) {
      const on = t < roll.steps && roll.notes[t * NUM_NOTES + n];
      if (on && start < 0) start = t;
      if (!on && start >= 0) {
        held.push({ note: n, start, end: t });
        start = -1;
      }
    }
  }
  return held.sort((a, b) => a.start - b.start || a.note - b.note);
}

function rollInWords(roll) {
  return `${counted(roll.steps, "step")}, ${counted(heldNotes(roll).length, "note")}`;
}

function noteName(column) {
  const midi = LOWEST_NOTE + column;
  return NOTE_NAMES[midi % 12] + (Math.floor(midi / 12) - 1);
}

/* The steps in which two rolls differ, as a Set; those that only one has count. */
function changedSteps(before, after) {
  const changed = new Set();
  for (let t = 0; t < Math.max(before.steps, after.steps); t++) {
    for (let i = t * NUM_NOTES; i < (t + 1) * NUM_NOTES; i++) {
      if (before.notes[i] !== after.notes[i]) {
        changed.add(t);
        break;
      }
    }
  }
  return changed;
}
