"""Standard MIDI files to piano rolls, and back."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from train.data.music.rolls import HIGHEST_NOTE, LOWEST_NOTE, NUM_NOTES, Note, notes_of, roll_of
from train.support.errors import UserError
from train.support.extras import require_extra
from train.support.files import whole_file

if TYPE_CHECKING:
    import mido

__all__ = ["MAX_STEPS", "MidiPiece", "read_midi", "write_midi"]

MAX_STEPS = 10_000  # More than twice the longest piece of the benchmark sets.
_DRUMS = 9  # Channel 10, counted from 1: its numbers are instruments and not pitches.
_LOUDNESS = 80
_TICKS_PER_BEAT = 480  # When writing, unless steps_per_beat does not divide it.


class MidiPiece(NamedTuple):
    """What a MIDI file holds."""

    roll: np.ndarray  # Its piano roll, uint8 [T, 88]; the first and the last step are not silent.
    num_outside: int  # How many of its notes a piano does not have: they are not in the roll.


def read_midi(path: Path, steps_per_beat: int = 2) -> MidiPiece:
    """Reads a MIDI file, quantised.

    A note sounds from the step nearest to its start up to the step nearest to its end, and in one
    step at least. Tempo plays no part: a beat is a quarter note, however long it lasts. Left out
    are drums (channel 10), notes outside of 21..108, and silence before the first note and after
    the last.

    Args:
      path: A MIDI file of type 0 or 1.
      steps_per_beat: Time steps in a quarter note, at least 1.

    Raises:
      UserError: If it is no MIDI file, is damaged or of another kind, has no notes, or lasts
        longer than `MAX_STEPS`.
    """
    if steps_per_beat < 1:
        raise ValueError(f"expected steps_per_beat of at least 1; got {steps_per_beat}")
    file = _open_midi(path)
    notes = []
    num_outside = 0
    for track in file.tracks:
        for pitch, start, end in _notes_in_ticks(track):
            if not LOWEST_NOTE <= pitch <= HIGHEST_NOTE:
                num_outside += 1
                continue
            start = _nearest_step(start, steps_per_beat, file.ticks_per_beat)
            end = _nearest_step(end, steps_per_beat, file.ticks_per_beat)
            notes.append(Note(pitch, start, max(end, start + 1)))
    if not notes:
        raise UserError(
            f"expected notes from {LOWEST_NOTE} to {HIGHEST_NOTE} in {str(path)!r}; "
            f"it has none, and {num_outside} outside (drums are not counted); give another file"
        )
    first = min(note.start for note in notes)
    num_steps = max(note.end for note in notes) - first
    if num_steps > MAX_STEPS:
        raise UserError(
            f"expected at most {MAX_STEPS:,} time steps in {str(path)!r}; it lasts {num_steps:,} "
            f"({steps_per_beat} in each of {num_steps // steps_per_beat:,} beats); "
            "cut it, or take fewer steps per beat"
        )
    moved = (Note(note.pitch, note.start - first, note.end - first) for note in notes)
    return MidiPiece(roll_of(moved, num_steps), num_outside)


def write_midi(
    path: Path, roll: np.ndarray, steps_per_beat: int = 2, tempo_bpm: float = 100.0
) -> None:
    """Writes a piano roll as a MIDI file of type 0, in one step: whole or not at all.

    A note that is held over several steps is one long note.

    Args:
      path: Where the file shall be; its folder exists.
      roll: `[T, 88]` of 0 and 1, integers or booleans.
      steps_per_beat: Time steps in a quarter note.
      tempo_bpm: Quarter notes in a minute, 4 to 1000.

    Raises:
      ValueError: If an argument is not as described.
    """
    if roll.ndim != 2 or roll.shape[1] != NUM_NOTES or not np.isin(roll, (0, 1)).all():
        raise ValueError(
            f"expected a roll [T, {NUM_NOTES}] of 0 and 1; got {list(roll.shape)} of {roll.dtype}"
        )
    if not 1 <= steps_per_beat <= _TICKS_PER_BEAT:
        raise ValueError(
            f"expected steps_per_beat from 1 to {_TICKS_PER_BEAT}; got {steps_per_beat}"
        )
    if not 4 <= tempo_bpm <= 1000:
        raise ValueError(f"expected a tempo_bpm from 4 to 1000; got {tempo_bpm}")
    require_extra("music")
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
    with whole_file(path) as temporary:
        file.save(temporary)


def _open_midi(path: Path) -> mido.MidiFile:
    """Parses a MIDI file, and refuses the kinds whose time cannot be counted in beats."""
    require_extra("music")
    import mido

    data = path.read_bytes()
    try:
        file = mido.MidiFile(file=io.BytesIO(data))
    except Exception as error:  # Damaged bytes show as almost anything: there is no list of it.
        reason = str(error) or "it ends too early"
        raise UserError(
            f"expected a MIDI file in {str(path)!r}; it cannot be read ({reason}); get it again"
        ) from error
    if file.type not in (0, 1):
        raise UserError(
            f"expected a MIDI file of type 0 or 1 in {str(path)!r}; got type {file.type}, whose "
            "tracks are pieces of their own; save them one by one"
        )
    if file.ticks_per_beat <= 0:
        raise UserError(
            f"expected time in ticks per beat in {str(path)!r}; got time in film frames (SMPTE); "
            "save it with ticks per beat"
        )
    return file


def _notes_in_ticks(track: mido.MidiTrack) -> Iterator[tuple[int, int, int]]:
    """Yields `(pitch, start, end)` of the notes in a track; a note without an end lasts to its."""
    sounding: dict[tuple[int, int], list[int]] = {}  # By channel and pitch: when they started.
    now = 0
    for message in track:
        now += message.time
        if message.type not in ("note_on", "note_off") or message.channel == _DRUMS:
            continue
        starts = sounding.setdefault((message.channel, message.note), [])
        if message.type == "note_on" and message.velocity > 0:
            starts.append(now)
            continue
        # Where a note is struck again, its old end may stand after its new start.
        ended = [start for start in starts if start < now] or starts
        sounding[message.channel, message.note] = [start for start in starts if start not in ended]
        yield from ((message.note, start, now) for start in ended)
    for (_, pitch), starts in sounding.items():
        yield from ((pitch, start, now) for start in starts)


def _nearest_step(ticks: int, steps_per_beat: int, ticks_per_beat: int) -> int:
    """Returns the time step nearest to a time in ticks, the later one where two are as near."""
    return (2 * ticks * steps_per_beat + ticks_per_beat) // (2 * ticks_per_beat)


def _changes(roll: np.ndarray) -> list[tuple[int, bool, int]]:
    """Returns `(step, starts or ends, pitch)` in order of time; at a step, ends come first."""
    starts = [(note.start, True, note.pitch) for note in notes_of(roll)]
    ends = [(note.end, False, note.pitch) for note in notes_of(roll)]
    return sorted(starts + ends)
