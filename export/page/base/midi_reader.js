"use strict";
/* Standard MIDI files to piano rolls, by the rules of `train.data.music.midi`: silence before the
   first and after the last note left out, the sustain pedal heard. */

const MOST_STEPS = 10000;
const HIGHEST_NOTE = LOWEST_NOTE + NUM_NOTES - 1;
const DEFAULT_MICROS = 500000; // A beat of a file that does not say its tempo.

/* `{roll, tempo, remarks}`: the roll, the tempo at its first note in quarter notes a minute, and what
   may be missing in the roll, in words. `bytes` is a Uint8Array. */
function readMidi(bytes, stepsPerBeat) {
  const file = parseMidi(bytes);
  const isOutside = ({ pitch }) => pitch < LOWEST_NOTE || pitch > HIGHEST_NOTE;
  const outside = file.events.filter((event) => event.what === "start" && isOutside(event)).length;
  const notes = soundingNotes(file.events).filter((note) => !isOutside(note));
  if (!notes.length) {
    throw new MidiError(outside
      ? `This MIDI file has no notes of a piano: it has only ${counted(outside, "other")}.`
      : "This MIDI file has no notes, or only drums.");
  }
  const { roll, merged } = quantised(notes, stepsPerBeat, file.division);
  const firstTick = least(notes, ({ start }) => start);
  const tempi = file.tempi.filter(({ tick }) => tick <= firstTick).sort((a, b) => a.tick - b.tick);
  const remarks = [];
  if (outside) remarks.push(`${outside} of its notes left out: not in ${LOWEST_NOTE}..${HIGHEST_NOTE}.`);
  if (file.tracks < file.promised) {
    remarks.push(`Its header declares ${file.promised} tracks, but it has ${file.tracks}.`);
  }
  if (merged) {
    const [sound, them] = merged === 1 ? ["sounds", "it"] : ["sound", "them"];
    const step = stepsPerBeat === 1 ? "a beat" : `1/${stepsPerBeat} of a beat`;
    remarks.push(`${merged} of its notes ${sound} together with the note before ${them}, since a step is ${step}.`);
  }
  return { roll, tempo: 60000000 / (tempi.at(-1)?.micros ?? DEFAULT_MICROS), remarks };
}

/* The roll of notes in ticks, and how many of them are merged with others. */
function quantised(notes, stepsPerBeat, division) {
  const step = (tick) => Math.floor((2 * tick * stepsPerBeat + division) / (2 * division));
  const first = step(least(notes, ({ start }) => start));
  const inSteps = notes.map((note) => {
    const firstStep = step(note.start) - first;
    return { ...note, firstStep, endStep: Math.max(step(note.end) - first, firstStep + 1) };
  });
  const steps = -least(inSteps, ({ endStep }) => -endStep);
  if (steps > MOST_STEPS) {
    throw new MidiError(`This piece lasts ${steps} steps; the most is ${MOST_STEPS}. ` +
      "Shorten it, or use fewer steps in a beat.");
  }
  const roll = emptyRoll(steps);
  for (const { pitch, firstStep, endStep } of inSteps) {
    for (let t = firstStep; t < endStep; t++) roll.notes[t * NUM_NOTES + pitch - LOWEST_NOTE] = 1;
  }
  return { roll, merged: numMerged(inSteps, steps) };
}

/* There may be more notes than `Math.min` takes. */
function least(values, of) {
  return values.reduce((found, value) => Math.min(found, of(value)), Infinity);
}
