"use strict";
/* Plays piano rolls, one at a time, by Web Audio: a soft tone for each note. */

const player = {
  context: null,
  playing: null,

  /* Plays from a step on. `whenAt` is told each step that sounds, and `whenEnded` the end. */
  play(roll, from, secondsPerStep, whenAt, whenEnded) {
    this.stop();
    this.context ??= new AudioContext();
    this.context.resume();
    const sum = this.context.createGain();
    sum.gain.value = 0.16;
    sum.connect(this.context.destination);
    const begun = this.context.currentTime + 0.08;
    const time = (step) => begun + (step - from) * secondsPerStep;
    for (const { note, start, end } of heldNotes(roll)) {
      if (end > from) this.sound(note, time(Math.max(start, from)), time(end), sum);
    }
    const playing = { sum, whenEnded, frame: 0 };
    this.playing = playing;
    let last = -1;
    const follow = () => {
      const step = from + Math.floor((this.context.currentTime - begun) / secondsPerStep);
      if (step >= roll.steps) return this.stop();
      if (step > last && step >= from) whenAt((last = step));
      playing.frame = setTimeout(follow, 30);
    };
    follow();
  },

  sound(note, start, end, sum) {
    const tone = this.context.createOscillator(), envelope = this.context.createGain();
    tone.type = "triangle";
    tone.frequency.value = 440 * 2 ** ((LOWEST_NOTE + note - 69) / 12);
    envelope.gain.setValueAtTime(0, start);
    envelope.gain.linearRampToValueAtTime(1, start + 0.015);
    envelope.gain.setTargetAtTime(0.55, start + 0.015, 0.25);
    envelope.gain.setTargetAtTime(0, Math.max(start + 0.03, end - 0.03), 0.03);
    tone.connect(envelope).connect(sum);
    tone.start(start);
    tone.stop(end + 0.2);
  },

  stop() {
    if (!this.playing) return;
    const { sum, whenEnded, frame } = this.playing;
    this.playing = null;
    clearTimeout(frame);
    sum.gain.setTargetAtTime(0, this.context.currentTime, 0.02);
    setTimeout(() => sum.disconnect(), 300);
    whenEnded();
  },
};
