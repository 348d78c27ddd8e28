"use strict";
/* The bytes of a standard MIDI file, which may be wrapped in gzip or RIFF, by the rules of
   `train.data.music.midi_source`. */

const MOST_BYTES = 2 ** 23;

/* Takes and returns a Uint8Array.

   Throws a MidiError if the gzip or RIFF data is damaged, or if there are too many bytes. */
async function midiBytes(bytes) {
  refuseLong(bytes.length);
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const plain = isGzip ? await outOfGzip(bytes) : bytes;
  return asciiAt(plain, 0) === "RIFF" ? outOfRiff(plain) : plain;
}

function refuseLong(length) {
  if (length > MOST_BYTES) {
    throw new MidiError(`This file has more than ${MOST_BYTES / 2 ** 20} MiB, which no piece needs.`);
  }
}

function asciiAt(bytes, at) {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}

/* Decompresses data, which may become a thousand times as large. */
async function outOfGzip(bytes) {
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip")).getReader();
  const parts = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read().catch(() => {
      throw new MidiError("This file is compressed by gzip, and damaged.");
    });
    if (done) break;
    length += value.length;
    refuseLong(length);
    parts.push(value);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/* The chunk `data` of a file of the type RMID. */
function outOfRiff(bytes) {
  const kind = asciiAt(bytes, 8);
  if (kind !== "RMID") throw new MidiError(`This file is RIFF of the type ${kind}, and not RMID.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 12; at + 8 <= bytes.length; ) {
    const size = view.getUint32(at + 4, true);
    if (asciiAt(bytes, at) === "data") return bytes.subarray(at + 8, at + 8 + size);
    at += 8 + size + (size % 2);
  }
  throw new MidiError('This RIFF file has no chunk "data".');
}
