"use strict";
/* Standard MIDI files to piano rolls, by the rules of `train.data.music.midi`: type 0 or 1, drums
   left out, silence before the first and after the last note too, the sustain pedal heard. */

const MOST_STEPS = 10000;
const DRUMS = 9;
const SUSTAIN = 64;

class MidiError extends Error {}

/* A roll, and the tempo at its first note in quarter notes a minute. `bytes` is a Uint8Array. */
function readMidi(bytes, stepsPerBeat) {
  const file = parseMidi(bytes);
  const notes = soundingNotes(file.events).filter((n) => n.pitch >= 21 && n.pitch <= 108);
  if (!notes.length) throw new MidiError("This MIDI file has no notes of a piano.");
  const step = (tick) => Math.floor((2 * tick * stepsPerBeat + file.division) / (2 * file.division));
  const first = Math.min(...notes.map((n) => step(n.start)));
  const last = Math.max(...notes.map((n) => Math.max(step(n.end), step(n.start) + 1)));
  if (last - first > MOST_STEPS) {
    throw new MidiError(`This piece lasts ${last - first} steps; the most is ${MOST_STEPS}.`);
  }
  const roll = emptyRoll(last - first);
  for (const n of notes) {
    const end = Math.max(step(n.end), step(n.start) + 1);
    for (let t = step(n.start); t < end; t++) {
      roll.notes[(t - first) * NUM_NOTES + n.pitch - LOWEST_NOTE] = 1;
    }
  }
  const firstTick = Math.min(...notes.map((n) => n.start));
  const tempi = file.tempi.filter((t) => t.tick <= firstTick).sort((a, b) => a.tick - b.tick);
  return { roll, tempo: 60000000 / (tempi.at(-1)?.micros ?? 500000) };
}

function parseMidi(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const name = (at) => String.fromCharCode(...bytes.subarray(at, at + 4));
  if (bytes.length < 14 || name(0) !== "MThd") throw new MidiError("This is no MIDI file.");
  const kind = view.getUint16(8), division = view.getInt16(12);
  if (kind > 1) throw new MidiError(`This MIDI file is of type ${kind}; types 0 and 1 can be read.`);
  if (division <= 0) throw new MidiError("This MIDI file counts time in film frames, not in beats.");
  const file = { division, events: [], tempi: [] };
  let at = 8 + view.getUint32(4), track = 0;
  try {
    while (at + 8 <= bytes.length) {
      const size = view.getUint32(at + 4);
      if (name(at) === "MTrk") {
        if (at + 8 + size > bytes.length) throw new RangeError();
        parseTrack(bytes.subarray(at + 8, at + 8 + size), track++, file);
      }
      at += 8 + size;
    }
  } catch (error) {
    if (error instanceof RangeError) throw new MidiError("This MIDI file is damaged.");
    throw error;
  }
  if (!track) throw new MidiError("This MIDI file has no track.");
  return file;
}

/* Adds `{tick, track, channel, what, pitch}` for what starts, ends or holds notes. */
function parseTrack(track, number, file) {
  let at = 0, tick = 0, running = 0;
  const byte = () => {
    if (at >= track.length) throw new RangeError();
    return track[at++];
  };
  const size = () => {
    let value = 0, next;
    do {
      next = byte();
      value = value * 128 + (next & 0x7f);
    } while (next & 0x80);
    return value;
  };
  const add = (channel, what, pitch = 0) => {
    if (channel !== DRUMS) file.events.push({ tick, track: number, channel, what, pitch });
  };
  while (at < track.length) {
    tick += size();
    let status = track[at];
    if (status >= 0x80) at++;
    else status = running;
    if (!status) throw new RangeError();
    if (status === 0xff) {
      const type = byte(), length = size();
      if (type === 0x51 && length >= 3 && at + 3 <= track.length) {
        file.tempi.push({ tick, micros: (track[at] << 16) | (track[at + 1] << 8) | track[at + 2] });
      }
      at += length;
      if (type === 0x2f) break;
    } else if (status >= 0xf0) {
      at += status === 0xf0 || status === 0xf7 ? size() : { 0xf1: 1, 0xf2: 2, 0xf3: 1 }[status] ?? 0;
    } else {
      running = status;
      const channel = status & 15, order = status >> 4, first = byte();
      const second = order === 12 || order === 13 ? 0 : byte();
      if (order === 9 && second) add(channel, "start", first);
      else if (order === 8 || order === 9) add(channel, "end", first);
      else if (order === 11 && first === SUSTAIN) add(channel, second >= 64 ? "down" : "up");
      else if (order === 11 && first === 121) add(channel, "up");
      else if (order === 11 && first >= 120) add(channel, first === 120 ? "silence" : "off");
    }
  }
  file.events.push({ tick, track: number, channel: -1, what: "last", pitch: 0 });
}

/* `{pitch, start, end}` in ticks. A key struck again while it sounds is one note, until it was ended
   as often as it was started; where its track lacks ends, each end is the end of all its starts. */
function soundingNotes(events) {
  // What turns all notes off goes before the notes that start at that time.
  const isLater = (event) => !["off", "silence"].includes(event.what);
  events.sort((a, b) => a.tick - b.tick || isLater(a) - isLater(b));
  const played = playNotes(events, new Set());
  return (played.unended.size ? playNotes(events, played.unended) : played).notes;
}

function playNotes(events, allAtOnce) {
  const notes = [], unended = new Set(), down = new Map(), held = new Map(), pedals = new Set();
  const sounded = (note, end) => notes.push({ pitch: note.pitch, start: note.start, end });
  const ofChannel = (map, channel) => [...map].filter(([, note]) => note.channel === channel);
  const release = (key, tick) => {
    const note = down.get(key);
    down.delete(key);
    if (!pedals.has(note.channel)) sounded(note, tick);
    else if (!held.has(key)) held.set(key, note);
  };
  const silence = (channel, tick) => {
    for (const [key, note] of ofChannel(held, channel)) {
      held.delete(key);
      sounded(note, tick);
    }
  };
  for (const { tick, track, channel, what, pitch } of events) {
    const key = `${track} ${channel} ${pitch}`;
    const note = down.get(key);
    const begin = () => down.set(key, { pitch, channel, track, start: tick, latest: tick, count: 1 });
    if (what === "start") {
      if (note) Object.assign(note, { count: note.count + 1, latest: tick });
      else begin();
    } else if (what === "end" && note) {
      note.count--;
      if (note.count && !allAtOnce.has(key)) continue;
      release(key, tick);
      // This was the end of the note before, written after the start of the next.
      if (note.count && note.start < note.latest && note.latest === tick) begin();
    } else if (what === "down") {
      pedals.add(channel);
    } else if (what === "up" || what === "off" || what === "silence") {
      if (what === "up") pedals.delete(channel);
      else for (const [other] of ofChannel(down, channel)) release(other, tick);
      if (what !== "off") silence(channel, tick);
    }
  }
  // What is never ended lasts to the end of its track.
  const ends = new Map(events.filter((e) => e.what === "last").map((e) => [e.track, e.tick]));
  for (const key of down.keys()) unended.add(key);
  for (const note of [...down.values(), ...held.values()]) sounded(note, ends.get(note.track));
  return { notes, unended };
}
