"use strict";
/* Piano rolls to standard MIDI files of type 0. */

const TICKS_PER_BEAT = 480;
const LOUDNESS = 80;

/* The bytes of a file; a note that is held over several steps is one long note. */
function writeMidi(roll, stepsPerBeat, tempo) {
  const ticks = Math.floor(TICKS_PER_BEAT / stepsPerBeat);
  const changes = heldNotes(roll).flatMap(({ note, start, end }) => [
    { step: start, on: 1, pitch: LOWEST_NOTE + note },
    { step: end, on: 0, pitch: LOWEST_NOTE + note },
  ]);
  changes.sort((a, b) => a.step - b.step || a.on - b.on || a.pitch - b.pitch);
  const micros = Math.round(60000000 / tempo);
  const track = [0, 0xff, 0x51, 3, (micros >> 16) & 255, (micros >> 8) & 255, micros & 255];
  let now = 0;
  for (const { step, on, pitch } of changes) {
    track.push(...sizeBytes((step - now) * ticks), on ? 0x90 : 0x80, pitch, on ? LOUDNESS : 0);
    now = step;
  }
  track.push(...sizeBytes((roll.steps - now) * ticks), 0xff, 0x2f, 0);
  const head = [0x4d, 0x54, 0x68, 0x64, 0, 0, 0, 6, 0, 0, 0, 1, ...twoBytes(ticks * stepsPerBeat)];
  const chunk = [0x4d, 0x54, 0x72, 0x6b, ...twoBytes(track.length >> 16), ...twoBytes(track.length)];
  return Uint8Array.from([...head, ...chunk, ...track]);
}

function twoBytes(value) {
  return [(value >> 8) & 255, value & 255];
}

/* A number in as many groups of seven bits as it takes. */
function sizeBytes(value) {
  const bytes = [value & 0x7f];
  while ((value >>= 7)) bytes.unshift((value & 0x7f) | 0x80);
  return bytes;
}
