"use strict";
/* The events of a standard MIDI file, by the rules of `train.data.music.midi_events`: types 0 and 1,
   drums left out. */

const DRUMS = 9;
const SUSTAIN = 64;
const SYSTEM_BYTES = { 0xf1: 1, 0xf2: 2, 0xf3: 1, 0xf6: 0, 0xf8: 0, 0xfa: 0, 0xfb: 0, 0xfc: 0, 0xfe: 0 };

class MidiError extends Error {}

/* `{division, promised, tracks, events, tempi}`: the ticks in a beat, how many tracks the header
   promises, how many there are, what happens, and `{tick, micros}`. */
function parseMidi(bytes) {
  if (!bytes.length) throw new MidiError("This file is empty.");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const name = (at) => asciiAt(bytes, at);
  if (bytes.length < 14 || name(0) !== "MThd") throw new MidiError("This is no MIDI file.");
  const file = { division: view.getInt16(12), promised: view.getUint16(10), tracks: 0, events: [], tempi: [] };
  try {
    let at = 8 + view.getUint32(4);
    if (at < 14) throw new RangeError();
    while (at + 8 <= bytes.length) {
      const size = view.getUint32(at + 4);
      if (name(at) === "MTrk") {
        const isWhole = parseTrack(bytes.subarray(at + 8, at + 8 + size), file);
        if (at + 8 + size > bytes.length && !isWhole) throw new RangeError();
      }
      at += 8 + size;
    }
    if (at !== bytes.length && file.tracks < file.promised) throw new RangeError();
  } catch (error) {
    if (error instanceof RangeError) throw new MidiError("This MIDI file is damaged.");
    throw error;
  }
  if (!file.tracks) throw new MidiError("This MIDI file has no track.");
  // A single track is one piece, whatever the type of the file.
  const kind = view.getUint16(8);
  if (kind > 1 && !(kind === 2 && file.tracks === 1)) {
    throw new MidiError(`This MIDI file is of type ${kind}; types 0 and 1 can be read.`);
  }
  if (!file.division) throw new MidiError("This MIDI file has 0 ticks in a beat, so its times have no meaning.");
  if (file.division < 0) throw new MidiError("This MIDI file counts time in film frames, not in beats.");
  return file;
}

/* Adds `{tick, track, channel, what, pitch}` for what starts, ends or holds notes. Returns whether
   the track has an end. */
function parseTrack(track, file) {
  const number = file.tracks++;
  let at = 0, tick = 0, running = 0, port = 0, isWhole = false;
  const byte = () => {
    if (at >= track.length) throw new RangeError();
    return track[at++];
  };
  const data = () => {
    const value = byte();
    if (value >= 0x80) throw new RangeError();
    return value;
  };
  const size = () => {
    let value = 0;
    for (let bytes = 0; bytes < 4; bytes++) {
      const next = byte();
      value = value * 128 + (next & 0x7f);
      if (next < 0x80) return value;
    }
    throw new RangeError();
  };
  while (at < track.length && !isWhole) {
    tick += size();
    const status = track[at] >= 0x80 ? track[at++] : running;
    if (status === 0xff) {
      const type = byte(), length = size(), content = track.subarray(at, at + length);
      at += length;
      isWhole = type === 0x2f;
      if (type === 0x51 && length === 3 && content.some(Boolean)) {
        file.tempi.push({ tick, micros: (content[0] << 16) | (content[1] << 8) | content[2] });
      } else if (type === 0x21 && length === 1) {
        port = content[0] & 0x7f;
      }
    } else if (status === 0xf0 || status === 0xf7) {
      const length = size();
      at += length;
    } else if (status >= 0xf0) {
      if (!(status in SYSTEM_BYTES)) throw new RangeError();
      at += SYSTEM_BYTES[status];
    } else {
      if (!status) throw new RangeError();
      running = status;
      const order = status >> 4, pitch = data();
      const what = effectOf(order, pitch, order === 12 || order === 13 ? 0 : data());
      const channel = 16 * port + (status & 15);
      if (what && (status & 15) !== DRUMS) file.events.push({ tick, track: number, channel, what, pitch });
    }
    if (at > track.length) throw new RangeError();
  }
  file.events.push({ tick, track: number, channel: -1, what: "last", pitch: 0 });
  return isWhole;
}

/* What an event of a channel does to notes; null if nothing. */
function effectOf(order, first, second) {
  if (order === 8) return "end";
  if (order === 9) return second ? "start" : "end";
  if (order !== 11) return null;
  if (first === SUSTAIN) return second >= 64 ? "down" : "up";
  if (first === 120) return "silence";
  if (first === 121) return "up";
  return first >= 123 ? "off" : null;
}
