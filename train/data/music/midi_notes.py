"""When the notes of a MIDI file sound: from its note-offs, pedals and all-notes-off; in steps."""

from __future__ import annotations

import dataclasses
from array import array
from collections import defaultdict
from collections.abc import Collection
from pathlib import Path

import numpy as np

from train.data.music.midi_events import CHANNELS, MidiEvents, What
from train.support.errors import UserError

__all__ = ["MAX_STEPS", "num_merged", "quantised", "sounding_notes"]

MAX_STEPS = 10_000  # Of a piece: more than twice the longest one of the benchmark sets.
_PITCHES = 128


def sounding_notes(events: MidiEvents) -> np.ndarray:
    """Returns the notes of a file as they sound, int64 `[N, 3]`: pitch, start and end in ticks.

    A key that is struck again while it sounds, in the same channel of the same track, remains one
    note. It sounds until there have been as many note-offs as note-ons. If the track has fewer
    note-offs than that, each note-off ends all of its notes, except one that starts at that very
    time: many programs write repeated notes in this way. A note without any note-off lasts to the
    end of its track.

    While the sustain pedal is down (controller 64 with a value of at least 64), a note that ends
    sounds until the pedal goes up. The same applies to notes ended by "all notes off" (123 to 127).
    "All sound off" (120) ends notes at once, whatever the pedal. These events affect their channel
    in all tracks.

    Args:
      events: Events sorted by time: `MidiEvents.sort`.
    """
    player = _Player(events)
    if player.unended:
        player = _Player(events, player.unended)
    return np.column_stack([player.pitches, player.starts, player.ends]).astype(np.int64)


@dataclasses.dataclass(slots=True)
class _Struck:
    """A note whose key is down."""

    start: int
    last_start: int
    num_starts: int = 1  # Note-ons without a note-off so far.


class _Player:
    """Goes through the events once, and collects the notes: their pitches, starts and ends.

    `unended` are the keys, by track, channel and pitch, that were still down at the end.
    """

    def __init__(self, events: MidiEvents, all_at_once: Collection[int] = ()) -> None:
        """Plays a file; each note-off of a key in `all_at_once` ends all of its note-ons."""
        self.pitches, self.starts, self.ends = array("q"), array("q"), array("q")
        # By channel, then by key: a number that combines track, channel and pitch.
        self._down: defaultdict[int, dict[int, _Struck]] = defaultdict(dict)
        self._held: defaultdict[int, dict[int, int]] = defaultdict(dict)  # Starts.
        self._pedals: set[int] = set()
        for time, source, what in zip(events.times, events.sources, events.whats, strict=True):
            channel, key = source % CHANNELS, source * _PITCHES + what % _PITCHES
            if what < What.END:
                self._start(channel, key, time)
            elif what < What.PEDAL_DOWN:
                self._end(channel, key, time, key in all_at_once)
            else:
                self._control(channel, what, time)
        self.unended = {key for keys in self._down.values() for key in keys}
        for keys in self._down.values():
            for key, note in keys.items():
                self._sounded(key, note.start, events.ends[key // (CHANNELS * _PITCHES)])
        for starts in self._held.values():
            for key, start in starts.items():
                self._sounded(key, start, events.ends[key // (CHANNELS * _PITCHES)])

    def _start(self, channel: int, key: int, time: int) -> None:
        note = self._down[channel].get(key)
        if note is None:
            self._down[channel][key] = _Struck(time, time)
        else:
            note.num_starts += 1
            note.last_start = time

    def _end(self, channel: int, key: int, time: int, all_at_once: bool) -> None:
        note = self._down[channel].get(key)
        if note is None:
            return
        note.num_starts -= 1
        if all_at_once or not note.num_starts:
            self._release(channel, key, time)
            if note.start < note.last_start == time and note.num_starts:
                # This note-off belongs to the previous note, but comes after the next note-on.
                self._start(channel, key, time)

    def _control(self, channel: int, what: int, time: int) -> None:
        if what == What.PEDAL_DOWN:
            self._pedals.add(channel)
            return
        if what == What.PEDAL_UP:
            self._pedals.discard(channel)
        else:
            for key in list(self._down[channel]):
                self._release(channel, key, time)
        if what != What.NOTES_OFF:
            for key, start in self._held.pop(channel, {}).items():
                self._sounded(key, start, time)

    def _release(self, channel: int, key: int, time: int) -> None:
        """Releases a key, which ends its note unless the pedal holds it."""
        start = self._down[channel].pop(key).start
        if channel in self._pedals:
            self._held[channel].setdefault(key, start)
        else:
            self._sounded(key, start, time)

    def _sounded(self, key: int, start: int, end: int) -> None:
        self.pitches.append(key % _PITCHES)
        self.starts.append(start)
        self.ends.append(end)


def num_merged(notes: np.ndarray, in_steps: np.ndarray) -> int:
    """Counts the notes that share a time step with a note that had ended before they began.

    A note without length counts as one tick long, so that it does not follow itself.

    Args:
      notes: `[N, 3]` of pitch, start and end in ticks.
      in_steps: The same in time steps.
    """
    _, first, end = in_steps.T
    sizes = end - first
    note = np.repeat(np.arange(len(notes)), sizes)
    step = np.arange(len(note)) + np.repeat(first - np.cumsum(sizes) + sizes, sizes)
    earliest_end = np.full(int(end.max(initial=0)), np.iinfo(np.int64).max)
    np.minimum.at(earliest_end, step, np.maximum(notes[:, 2], notes[:, 1] + 1)[note])
    return len(np.unique(note[notes[note, 1] >= earliest_end[step]]))


def quantised(
    notes: np.ndarray, steps_per_beat: int, ticks_per_beat: int, path: Path
) -> tuple[np.ndarray, int]:
    """Returns notes `[N, 3]` of pitch, start and end with steps for ticks, and the steps of all.

    Raises:
      UserError: It is longer than `MAX_STEPS`.
    """
    pitch, start, end = notes.T
    # Checked with Python's unbounded integers, so that none overflows in NumPy below.
    start_step = _nearest_step(int(start.min()), steps_per_beat, ticks_per_beat)
    latest = _nearest_step(int(start.max()), steps_per_beat, ticks_per_beat) + 1
    end_step = max(latest, _nearest_step(int(end.max()), steps_per_beat, ticks_per_beat))
    num_steps = end_step - start_step
    if num_steps > MAX_STEPS:
        raise UserError(
            f"expected at most {MAX_STEPS:,} time steps in {str(path)!r}; it lasts {num_steps:,} "
            f"({steps_per_beat} in each of {num_steps // steps_per_beat:,} beats); "
            "shorten it"
        )
    beats_before = int(start.min()) // ticks_per_beat
    ticks_before, steps_before = beats_before * ticks_per_beat, beats_before * steps_per_beat
    start, end = (
        _nearest_step(ticks - ticks_before, steps_per_beat, ticks_per_beat)
        + (steps_before - start_step)
        for ticks in (start, end)
    )
    return np.column_stack([pitch, start, np.maximum(end, start + 1)]), num_steps


def _nearest_step(
    ticks: int | np.ndarray, steps_per_beat: int, ticks_per_beat: int
) -> int | np.ndarray:
    """Returns the time step nearest to a time in ticks; the later one if two are equally near."""
    return (2 * ticks * steps_per_beat + ticks_per_beat) // (2 * ticks_per_beat)
