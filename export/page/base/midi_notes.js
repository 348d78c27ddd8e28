"use strict";
/* When the notes of a MIDI file sound, by the rules of `train.data.music.midi_notes`. */

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

/* How many notes share a step with a note that had ended before they began.

   The notes have their times in ticks, and as steps from 0: `{start, end, firstStep, endStep}`. One
   without length counts as a tick long, so that it does not follow itself. */
function numMerged(notes, steps) {
  const earliestEnd = new Float64Array(steps).fill(Infinity);
  for (const { start, end, firstStep, endStep } of notes) {
    const ended = Math.max(end, start + 1);
    for (let t = firstStep; t < endStep; t++) earliestEnd[t] = Math.min(earliestEnd[t], ended);
  }
  const isMerged = ({ start, firstStep, endStep }) =>
    earliestEnd.subarray(firstStep, endStep).some((end) => end <= start);
  return notes.filter(isMerged).length;
}
