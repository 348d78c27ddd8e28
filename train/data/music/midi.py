"""Standard MIDI files to piano rolls, and back."""

from __future__ import annotations

import io
from pathlib import Path
from typing import NamedTuple

import numpy as np

from train.data.music.midi_events import MidiEvents, What, parse_midi
from train.data.music.midi_notes import num_merged, quantised, sounding_notes
from train.data.music.midi_source import read_source
from train.data.music.rolls import (
    DEFAULT_STEPS_PER_BEAT,
    HIGHEST_NOTE,
    LOWEST_NOTE,
    NUM_NOTES,
    notes_of,
    roll_of,
)
from train.support.errors import UserError
from train.support.extras import require_extra
from train.support.files import write_bytes
from train.support.units import counted

__all__ = [
    "DEFAULT_TEMPO_BPM",
    "MidiPiece",
    "midi_bytes",
    "read_midi",
    "write_midi",
]

DEFAULT_TEMPO_BPM = 100.0
_MINUTE = 60_000_000  # Microseconds.
_SLOWEST = 2**24 - 1  # Maximum number of microseconds per quarter note: it has three bytes.
_LOUDNESS = 80
_TICKS_PER_BEAT = 480  # When writing, unless steps_per_beat does not divide it.


class MidiPiece(NamedTuple):
    """The content of a MIDI file.

    Attributes:
      roll: Its piano roll, uint8 `[T, 88]`; the first and the last step are not silent.
      num_outside: Number of notes that are not in the roll because a piano lacks them.
      num_merged: Number of notes that sound together with a note that they follow, because one of
        them is shorter than a time step.
      tempo_bpm: The tempo at its first note [quarter notes per minute].
      remarks: Remarks on what may be missing in the roll.
    """

    roll: np.ndarray
    num_outside: int
    num_merged: int
    tempo_bpm: float
    remarks: tuple[str, ...] = ()


def read_midi(path: Path, steps_per_beat: int = DEFAULT_STEPS_PER_BEAT) -> MidiPiece:
    """Reads a MIDI file as a quantised piano roll.

    A note sounds from the step nearest to its start to the step nearest to its end, and in at least
    one step. A beat is a quarter note. The tempo does not affect the roll.

    - The roll starts with the first note, even if that is an upbeat. Silence before the first and
      after the last note is left out, and bar lines are ignored.
    - Notes of the same pitch that overlap or touch are one note in the roll. `sounding_notes`
      explains which event ends a note that is struck again, and what pedals do.
    - Drums (channel 10) are left out. Notes outside 21..108 are left out and counted.

    Args:
      path: A MIDI file of type 0 or 1, plain, in RIFF (`.rmi`) or compressed by gzip.
      steps_per_beat: Time steps per quarter note, at least 1.

    Raises:
      UserError: It is not a MIDI file, is damaged or of another type, has no notes, or is longer
        than 10,000 steps.
    """
    if steps_per_beat < 1:
        raise ValueError(f"expected steps_per_beat of at least 1; got {steps_per_beat}")
    events = _read_events(path)
    events.sort()
    notes = sounding_notes(events)
    inside = (notes[:, 0] >= LOWEST_NOTE) & (notes[:, 0] <= HIGHEST_NOTE)
    num_outside = _num_outside(events)
    if not inside.any():
        raise UserError(
            f"expected notes from {LOWEST_NOTE} to {HIGHEST_NOTE} in {str(path)!r}; it has "
            + (f"only {counted(num_outside, 'other')}" if num_outside else "none, or only drums")
            + "; give another file"
        )
    notes = notes[inside]
    first_tick = int(notes[:, 1].min())
    in_steps, num_steps = quantised(notes, steps_per_beat, events.ticks_per_beat, path)
    return MidiPiece(
        roll_of(in_steps, num_steps),
        num_outside,
        num_merged(notes, in_steps),
        _MINUTE / events.tempo_at(first_tick),
        tuple(_remarks(events, num_outside)),
    )


def write_midi(
    path: Path,
    roll: np.ndarray,
    steps_per_beat: int = DEFAULT_STEPS_PER_BEAT,
    tempo_bpm: float = DEFAULT_TEMPO_BPM,
) -> None:
    """Writes `midi_bytes` to a file in an existing folder, completely or not at all."""
    write_bytes(path, midi_bytes(roll, steps_per_beat, tempo_bpm))


def midi_bytes(
    roll: np.ndarray,
    steps_per_beat: int = DEFAULT_STEPS_PER_BEAT,
    tempo_bpm: float = DEFAULT_TEMPO_BPM,
) -> bytes:
    """Returns a piano roll as a MIDI file of type 0.

    A note that is held over several steps becomes one long note.

    Args:
      roll: `[T, 88]` of 0 and 1, integers or booleans.
      steps_per_beat: Time steps per quarter note.
      tempo_bpm: Quarter notes per minute, within the range of a MIDI file: 3.58 to 60,000,000.

    Raises:
      ValueError: An argument is not as described.
    """
    if roll.ndim != 2 or roll.shape[1] != NUM_NOTES or not np.isin(roll, (0, 1)).all():
        raise ValueError(
            f"expected a roll [T, {NUM_NOTES}] of 0 and 1; got {list(roll.shape)} of {roll.dtype}"
        )
    if not 1 <= steps_per_beat <= _TICKS_PER_BEAT:
        raise ValueError(
            f"expected steps_per_beat from 1 to {_TICKS_PER_BEAT}; got {steps_per_beat}"
        )
    if not _MINUTE / _SLOWEST <= tempo_bpm <= _MINUTE:
        raise ValueError(f"expected a tempo_bpm from 3.58 to 60,000,000; got {tempo_bpm}")
    require_extra("music", "mido")
    import mido

    ticks_per_step = _TICKS_PER_BEAT // steps_per_beat
    track = mido.MidiTrack()
    track.append(mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(tempo_bpm)))
    now = 0
    for step, sounds, pitch in _changes(roll):
        track.append(
            mido.Message(
                "note_on" if sounds else "note_off",
                note=pitch,
                velocity=_LOUDNESS if sounds else 0,
                time=(step - now) * ticks_per_step,
            )
        )
        now = step
    track.append(mido.MetaMessage("end_of_track", time=(len(roll) - now) * ticks_per_step))
    file = mido.MidiFile(type=0, ticks_per_beat=ticks_per_step * steps_per_beat, tracks=[track])
    content = io.BytesIO()
    file.save(file=content)
    return content.getvalue()


def _read_events(path: Path) -> MidiEvents:
    """Parses a MIDI file, and refuses types whose time is not measured in beats."""
    try:
        events = parse_midi(read_source(path))
    except ValueError as error:
        raise UserError(
            f"expected a MIDI file in {str(path)!r}; it cannot be read ({error}); get it again"
        ) from error
    # A single track is one piece, whatever the type of the file.
    if events.kind not in (0, 1) and (events.kind != 2 or len(events.ends) > 1):
        what = "whose tracks are separate pieces" if events.kind == 2 else "which is none"
        raise UserError(
            f"expected a MIDI file of type 0 or 1 in {str(path)!r}; got type {events.kind}, "
            f"{what}; save its pieces one by one"
        )
    if events.ticks_per_beat <= 0:
        got = (
            "time in film frames (SMPTE)"
            if events.ticks_per_beat
            else "0 ticks per beat, so its times have no meaning"
        )
        raise UserError(
            f"expected time in ticks per beat in {str(path)!r}; got {got}; "
            "save it with ticks per beat"
        )
    return events


def _num_outside(events: MidiEvents) -> int:
    """Returns the number of notes that a piano does not have."""
    whats = np.asarray(events.whats)
    pitches = whats[whats < What.END]
    return int(((pitches < LOWEST_NOTE) | (pitches > HIGHEST_NOTE)).sum())


def _remarks(events: MidiEvents, num_outside: int) -> list[str]:
    """Returns remarks on what may be missing."""
    remarks = []
    if num_outside:
        remarks.append(f"{num_outside} of its notes left out: not in {LOWEST_NOTE}..{HIGHEST_NOTE}")
    if len(events.ends) < events.num_promised:
        remarks.append(
            f"its header declares {events.num_promised} tracks, but it has {len(events.ends)}"
        )
    return remarks


def _changes(roll: np.ndarray) -> list[tuple[int, bool, int]]:
    """Returns `(step, whether it starts, pitch)`, sorted by time; at each step, ends come first."""
    notes = notes_of(roll)
    starts = [(note.start, True, note.pitch) for note in notes]
    ends = [(note.end, False, note.pitch) for note in notes]
    return sorted(starts + ends)
