"use strict";
/* Numbers as the server's strings and in words, and numbers drawn at random.

   The noise of a sequence is a Float32Array of T * H numbers, step after step. Every machine that
   runs a browser has the lowest byte first, as the server has. */

function bytesOfBase64(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

function base64OfBytes(bytes) {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

function floatsOfBase64(text) {
  return new Float32Array(bytesOfBase64(text).buffer);
}

function base64OfFloats(floats) {
  return base64OfBytes(new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength));
}

/* "1 step", "2 steps". */
function counted(count, what) {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

/* Uniform numbers on (0, 1), always the same ones for a seed: mulberry32. */
function uniformNumbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 4294967296;
  };
}

/* `size` numbers of N(0, 1), always the same ones for a seed: Box-Muller. */
function normalNumbers(size, seed) {
  const uniform = uniformNumbers(seed);
  return Float32Array.from({ length: size }, () =>
    Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()));
}

/* Noise near some noise: amount 0 leaves it, and 1 leaves nothing of it. It stays N(0, 1). */
function variedNoise(noise, amount, seed) {
  const added = normalNumbers(noise.length, seed);
  const kept = Math.sqrt(1 - amount * amount);
  return noise.map((value, i) => kept * value + amount * added[i]);
}

/* Noise between two, and its length: both linear. The end of the shorter one counts as 0. */
function noiseBetween(first, last, weight, noiseSize) {
  const steps = Math.round(((1 - weight) * first.length + weight * last.length) / noiseSize);
  return Float32Array.from({ length: steps * noiseSize }, (_, i) =>
    (1 - weight) * (first[i] ?? 0) + weight * (last[i] ?? 0));
}

function freshSeed() {
  return crypto.getRandomValues(new Uint32Array(1))[0] % 1000000;
}
