"""Parses Standard MIDI Files into the events that affect notes.

Source: "Standard MIDI Files 1.0" (MIDI Manufacturers Association, RP-001). Each byte is read once,
so time and memory are linear in the size of any file.
"""

from __future__ import annotations

import dataclasses
from array import array

import numpy as np

__all__ = ["CHANNELS", "MidiEvents", "What", "parse_midi"]

CHANNELS = 16 * 128  # 16 channels on each of 128 ports.
_DEFAULT_TEMPO = 500_000  # Microseconds per quarter note in a file without a tempo: 120 bpm.
_DRUMS = 9  # Channel 10, counted from 1: its note numbers are instruments, not pitches.
_PEDAL = 64
_CHUNK_HEADER = 8  # Bytes: a name of 4, a size of 4.
_HEADER, _HEADER_SIZE = b"MThd", 6
_LONGEST_NUMBER = 4  # Bytes.
_META, _TEMPO, _PORT, _END_OF_TRACK = 0xFF, 0x51, 0x21, 0x2F
_SYSTEM_DATA = {0xF1: 1, 0xF2: 2, 0xF3: 1, 0xF6: 0, 0xF8: 0, 0xFA: 0, 0xFB: 0, 0xFC: 0, 0xFE: 0}


class What:
    """The effect of an event; the lowest 7 bits are free for a pitch."""

    START = 0 << 7
    END = 1 << 7
    PEDAL_DOWN = 2 << 7
    PEDAL_UP = 3 << 7
    NOTES_OFF = 4 << 7
    SOUND_OFF = 5 << 7


_CONTROLLERS = {
    120: What.SOUND_OFF,
    121: What.PEDAL_UP,  # All controllers are reset.
    # Omni, mono and poly mode turn notes off, too.
    **dict.fromkeys((123, 124, 125, 126, 127), What.NOTES_OFF),
}


def _numbers() -> array:
    return array("q")  # 8 bytes per number, a tenth of what a list needs.


@dataclasses.dataclass
class MidiEvents:
    """The events of all tracks, in the order of each track.

    Attributes:
      kind: Type of the file; types 0 and 1 contain one piece.
      num_promised: Number of tracks according to the header.
      ticks_per_beat: Unit of time; not valid if it is 0 or less.
      times: Times of the events [ticks since the start].
      sources: Track and channel of the events, `track * CHANNELS + channel`.
      whats: Effects of the events, `What | pitch`.
      ends: End of each track [ticks since the start].
      tempo_times: Times of the tempo changes [ticks since the start].
      tempi: The new tempos [microseconds per quarter note].
    """

    kind: int
    num_promised: int
    ticks_per_beat: int
    times: array = dataclasses.field(default_factory=_numbers)
    sources: array = dataclasses.field(default_factory=_numbers)
    whats: array = dataclasses.field(default_factory=_numbers)
    ends: array = dataclasses.field(default_factory=_numbers)
    tempo_times: array = dataclasses.field(default_factory=_numbers)
    tempi: array = dataclasses.field(default_factory=_numbers)

    def sort(self) -> None:
        """Sorts the events of all tracks by time, and events at the same time by track.

        An event that turns off all notes of a channel comes before the notes that start at the same
        time, because such an event in one track is not meant for the first note of another.
        """
        times, whats = np.asarray(self.times), np.asarray(self.whats)
        order = np.argsort(2 * times + (whats < What.NOTES_OFF), kind="stable")
        for name in ("times", "sources", "whats"):
            values = np.asarray(getattr(self, name))[order]
            setattr(self, name, array("q", values.tobytes()))

    def tempo_at(self, time: int) -> int:
        """Returns the tempo at a time [microseconds per quarter note]."""
        times = np.asarray(self.tempo_times)
        before = np.flatnonzero(times <= time)
        if not len(before):
            return _DEFAULT_TEMPO
        latest = before[times[before] == times[before].max()]
        return self.tempi[latest[-1]]  # Of several at the same time, the last counts.


def parse_midi(data: bytes) -> MidiEvents:
    """Parses the bytes of a Standard MIDI File.

    Events that do not affect notes or tempo, such as lyrics, keys and metres, are skipped, and so
    are chunks that are not tracks. All tracks are read, whatever their number in the header. A
    track ends at its end-of-track event.

    Raises:
      ValueError: It is not such a file, or it is damaged.
    """
    if not data.startswith(_HEADER[: len(data)]):
        raise ValueError("it does not begin with MThd")
    if len(data) < _CHUNK_HEADER + _HEADER_SIZE:
        raise ValueError("it ends too early")
    size = int.from_bytes(data[4:8], "big")
    if size < _HEADER_SIZE:
        raise ValueError(f"its header has {size} bytes in place of {_HEADER_SIZE}")
    kind, num_promised, division = (
        int.from_bytes(data[start : start + 2], "big", signed=start == 12) for start in (8, 10, 12)
    )
    events = MidiEvents(kind, num_promised, division)
    position = _CHUNK_HEADER + size
    while position + _CHUNK_HEADER <= len(data):
        name = data[position : position + 4]
        size = int.from_bytes(data[position + 4 : position + _CHUNK_HEADER], "big")
        position += _CHUNK_HEADER
        if name == b"MTrk":
            complete = _parse_track(data[position : position + size], events)
            if position + size > len(data) and not complete:
                raise ValueError("it ends too early")
        position += size
    if position != len(data) and len(events.ends) < num_promised:
        raise ValueError("it ends too early")
    if not events.ends:
        raise ValueError("it has no track (MTrk)")
    return events


def _parse_track(track: bytes, events: MidiEvents) -> bool:
    """Adds the events of a track; returns whether it has an end-of-track event.

    Raises:
      ValueError: The track is damaged.
    """
    add_time, add_source, add_what = events.times.append, events.sources.append, events.whats.append
    number, size_of_track = len(events.ends), len(track)
    source = number * CHANNELS
    position = now = running = 0
    complete = False
    try:
        while position < size_of_track and not complete:
            elapsed = track[position]
            position += 1
            if elapsed >= 0x80:
                elapsed, position = _number(track, position - 1)
            now += elapsed
            status = track[position]
            if status >= 0x80:
                position += 1
            elif running:
                status = running
            else:
                raise ValueError("expected the start of an event; got a data byte")
            if status < 0xF0:
                running, first, second = status, track[position], 0
                position += 1
                if not 0xC0 <= status < 0xE0:  # A program and a pressure are one byte, else two.
                    second = track[position]
                    position += 1
                if first >= 0x80 or second >= 0x80:
                    raise ValueError("expected a data byte; got the start of an event")
                what = _what(status, first, second)
                if what is not None and status & 0x0F != _DRUMS:
                    add_time(now)
                    add_source(source + (status & 0x0F))
                    add_what(what)
            elif status in (0xF0, 0xF7):
                size, position = _number(track, position)
                position += size
            elif status == _META:
                meta = track[position]
                size, position = _number(track, position + 1)
                content = track[position : position + size]
                position += size
                complete = meta == _END_OF_TRACK
                if meta == _TEMPO and size == 3 and any(content):
                    events.tempo_times.append(now)
                    events.tempi.append(int.from_bytes(content, "big"))
                elif meta == _PORT and size == 1:
                    source = number * CHANNELS + 16 * (content[0] & 0x7F)
            elif status in _SYSTEM_DATA:
                position += _SYSTEM_DATA[status]
            else:
                raise ValueError(f"undefined status {status:#x}")
            if position > size_of_track:
                raise IndexError
    except IndexError:
        raise ValueError("it ends too early: an event is longer than its track") from None
    events.ends.append(now)
    return complete


def _number(track: bytes, position: int) -> tuple[int, int]:
    """Returns a number of variable length, and the position after it."""
    value = 0
    for byte in track[position : position + _LONGEST_NUMBER]:
        position += 1
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, position
    if position == len(track):
        raise IndexError
    raise ValueError(f"a number has more than {_LONGEST_NUMBER} bytes")


def _what(status: int, first: int, second: int) -> int | None:
    """Returns the effect of a channel's event, with its pitch; None if it does not affect notes."""
    if status < 0x90:
        return What.END | first
    if status < 0xA0:
        return (What.START if second else What.END) | first
    if 0xB0 <= status < 0xC0:
        if first == _PEDAL:
            return What.PEDAL_DOWN if second >= 64 else What.PEDAL_UP
        return _CONTROLLERS.get(first)
    return None
