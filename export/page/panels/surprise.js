"use strict";
/* A text, coloured by the bits of its characters. */

const MOST_BITS = 8;
const LONGEST_AT_ONCE = 4; // How many of the longest parts are asked for at once; of short ones more.
const MOST_AT_ONCE = 64;
const MOST_SHOWN = 20000;

function makeSurprise() {
  const form = byId("surprise"), input = byId("surprise-text"), readout = byId("surprise-readout");
  let characters = [], bits = [];
  const say = (i) => {
    readout.textContent = characters.length ? `“${characterName(characters[i])}”: ${bitsInWords(bits[i])}` : "";
  };
  const strip = new CharacterStrip(byId("surprise-shown"), say);
  byId("surprise-shown").addEventListener("hover", (event) => say(event.detail));
  const task = new Task(form.querySelector(".task"), form, async () => {
    const text = input.value.replace(/\r\n?/g, "\n");
    if (!text.trim()) throw new InputError("Write or paste a text first.");
    if ([...text].length > MOST_SHOWN) throw new InputError(`Please give at most ${MOST_SHOWN} characters.`);
    const batches = batchesOf(partsOf(text, model.maxLength), LONGEST_AT_ONCE * model.maxLength);
    characters = [];
    bits = [];
    for (const [i, batch] of batches.entries()) {
      task.progress(i, batches.length);
      const outputs = await model.server.call(
        "score_steps", { text: batch.map((part) => part.text) }, task.signal, task.waits);
      const before = characters.length;
      outputs.bits_bytes.forEach((value, k) => {
        characters.push(...batch[k].text, ...batch[k].after);
        bits.push(...floatsOfBase64(value.b64), ...[...batch[k].after].map(() => NaN));
      });
      const shown = characters.slice(before).map((character, k) => ({
        text: character,
        label: `${characterName(character)}, ${bitsInWords(bits[before + k])}`,
        heat: Math.max(0, Math.min(1, (bits[before + k] || 0) / MOST_BITS)),
      }));
      if (i) strip.add(shown);
      else strip.show(shown);
      byId("surprise-legend").hidden = false;
    }
    say(0);
    return summary(characters, bits);
  });
  input.value = "Else, the function returns the value of the qzx.";
}

function bitsInWords(bits) {
  return Number.isNaN(bits) ? "not scored" : `${bits.toFixed(1)} bits`;
}

function summary(characters, bits) {
  const scored = bits.filter((value) => !Number.isNaN(value));
  const mean = scored.reduce((sum, value) => sum + value, 0) / scored.length;
  const unknown = unknownCharacters(characters.filter((_, i) => !Number.isNaN(bits[i])).join(""));
  return `${mean.toFixed(2)} bits per character over ${counted(scored.length, "character")}.${unknown}`;
}

/* A text in parts that the model reads one by one, `{text, after}`: its lines, and of long ones
   what fits, up to the end of a sentence or of a word. `after` is what stands between two parts. */
function partsOf(text, most) {
  const parts = [];
  let rest = [...text];
  while (rest.length) {
    const line = rest.indexOf("\n");
    let end = line < 0 ? rest.length : line;
    if (end > most) {
      const fits = rest.slice(0, most).join("");
      const cut = Math.max(fits.lastIndexOf(". ") + 1, 0) || fits.lastIndexOf(" ");
      end = cut > 0 ? [...fits.slice(0, cut)].length : most;
    }
    let next = end;
    while (next < rest.length && /\s/.test(rest[next])) next++;
    if (end) parts.push({ text: rest.slice(0, end).join(""), after: rest.slice(end, next).join("") });
    rest = rest.slice(next);
  }
  return parts;
}

/* Parts in lists, each of which is one request: `length * longest` is at most `size`. */
function batchesOf(parts, size) {
  const batches = [];
  let longest = 0;
  for (const part of parts) {
    const batch = batches.at(-1) ?? [];
    longest = Math.max(longest, part.text.length);
    const fits = batch.length < MOST_AT_ONCE && (batch.length + 1) * longest <= size;
    if (batch.length && fits) batch.push(part);
    else {
      batches.push([part]);
      longest = part.text.length;
    }
  }
  return batches;
}
