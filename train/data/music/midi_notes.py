"""From when a MIDI file starts a note to when it is silent: ends, the pedal, all notes off."""

from __future__ import annotations

import dataclasses
from array import array
from collections import defaultdict
from collections.abc import Collection

import numpy as np

from train.data.music.midi_events import CHANNELS, MidiEvents, What

__all__ = ["sounding_notes"]

_PITCHES = 128


def sounding_notes(events: MidiEvents) -> np.ndarray:
    """Returns the notes of a file as they sound, int64 `[N, 3]`: pitch, start and end in ticks.

    A pitch that is started again while it sounds, by the same channel of the same track, is one
    note: it sounds until it was ended as often as it was started. If the track never ends it so
    often, each end is the end of all its starts (but of one at that very time), as many programs
    write a note that is struck again. What is never ended lasts to the end of its track.

    With the sustain pedal (controller 64, from 64 up) a note that ends sounds on until the pedal
    goes up. All notes off (123 to 127) ends the notes of a channel likewise; all sound off (120) is
    silence at once, whatever the pedal. These are meant for a channel in all tracks.

    Args:
      events: Events in order of time: `MidiEvents.sort`.
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
    num_starts: int = 1  # That have no end yet.


class _Player:
    """Goes through the events once, and through a note as often as it is started.

    Attributes:
      pitches: Of the notes that have sounded,
      starts: when each started,
      ends: and when each ended.
      unended: Keys, by track, channel and pitch, that were still down at the end.
    """

    def __init__(self, events: MidiEvents, all_at_once: Collection[int] = ()) -> None:
        """Plays a file; every end of a key in `all_at_once` is the end of all its starts."""
        self.pitches, self.starts, self.ends = array("q"), array("q"), array("q")
        # By channel, then by key: a number made of track, channel and pitch.
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
                # This was the end of the note before, written after the start of the next.
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
        """Lets a key go, which is the end of its note unless the pedal holds it."""
        start = self._down[channel].pop(key).start
        if channel in self._pedals:
            self._held[channel].setdefault(key, start)
        else:
            self._sounded(key, start, time)

    def _sounded(self, key: int, start: int, end: int) -> None:
        self.pitches.append(key % _PITCHES)
        self.starts.append(start)
        self.ends.append(end)
