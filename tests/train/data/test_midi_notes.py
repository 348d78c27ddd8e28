"""When a note of a MIDI file sounds: ends, struck again, the pedal, all notes off; the tempo."""

from __future__ import annotations

from pathlib import Path

import mido
import numpy as np
import pytest

from tests.music_files import smf
from train.data.music.midi import read_midi, write_midi
from train.data.music.rolls import notes_of

# A step is 48 ticks: "on" and the others go by steps since the event before.


def wait(steps):
    return bytes([0x80 | 48 * steps >> 7, 48 * steps & 0x7F])


def on(pitch, after=0, channel=0):
    return wait(after) + bytes([0x90 | channel, pitch, 80])


def off(pitch, after=0, channel=0):
    return wait(after) + bytes([0x80 | channel, pitch, 64])


def control(number, value, after=0, channel=0):
    return wait(after) + bytes([0xB0 | channel, number, value])


def down(after=0, channel=0):
    return control(64, 127, after, channel)


def up(after=0, channel=0):
    return control(64, 0, after, channel)


def tempo(microseconds, after=0):
    return wait(after) + bytes([0xFF, 0x51, 3]) + microseconds.to_bytes(3, "big")


def read(folder, *tracks):
    path = folder / "a.mid"
    path.write_bytes(smf(*(b"".join(track) for track in tracks)))
    return read_midi(path)


def notes(folder, *tracks):
    return [tuple(note) for note in notes_of(read(folder, *tracks).roll)]


_LATE = [on(60, 2), off(60, 1)]  # So that a track goes on for 3 steps.


@pytest.mark.parametrize(
    ("track", "expected"),
    [
        # As often ended as started: from the first start to the last end.
        ([on(60), on(60, 1), off(60, 1), off(60, 2)], [(60, 0, 4)]),
        ([on(60), on(60, 1), off(60), off(60, 1), *_LATE], [(60, 0, 2), (60, 4, 5)]),
        # Not ended as often, as where each start is meant to end the note before.
        ([on(60), on(60, 1), off(60, 1), *_LATE], [(60, 0, 2), (60, 4, 5)]),
        ([on(60), on(60), off(60, 1), on(60, 1), off(60, 1), on(62)], [(60, 0, 1), (60, 2, 3)]),
        # The end of the note before stands after the next start, which has no end.
        ([on(60), on(60, 1), off(60), on(62, 1), off(62, 2)], [(60, 0, 4), (62, 2, 4)]),
        # As often ended, at the time of the last start; not as often, at that of both starts.
        ([on(60), on(60, 1), off(60), off(60), *_LATE], [(60, 0, 1), (60, 3, 4)]),
        ([on(60), on(60), off(60), *_LATE], [(60, 0, 1), (60, 2, 3)]),
        # Another pitch has all its ends.
        (
            [on(60), on(62), on(62, 1), on(60), off(62, 1), off(62, 1), off(60, 1), off(64, 1)],
            [(60, 0, 4), (62, 0, 3)],
        ),
    ],
)
def test_struck_again(tmp_path, track, expected):
    found = notes(tmp_path, track)
    assert [note for note in found if note in expected] == expected
    assert {pitch for pitch, _, _ in found} <= {60, 62}
    assert [note for note in found if note[0] == 60] == [n for n in expected if n[0] == 60]


@pytest.mark.parametrize(
    ("track", "expected"),
    [
        # Down before the end: until it goes up.
        ([down(), on(60), off(60, 1), up(3), *_LATE], [(60, 0, 4), (60, 6, 7)]),
        ([on(60), down(1), off(60, 1), up(2), *_LATE], [(60, 0, 4), (60, 6, 7)]),
        # Up before the end: the end.
        ([down(), on(60), up(1), off(60, 1), *_LATE], [(60, 0, 2), (60, 4, 5)]),
        # Down only after the end: nothing is held any more.
        ([on(60), off(60, 1), down(), up(3), *_LATE], [(60, 0, 1), (60, 6, 7)]),
        # Two notes of a pitch under one pedal are one; another pitch has a start of its own.
        (
            [down(), on(60), off(60, 1), on(60, 1), off(60, 1), on(64), off(64, 1), up(1)],
            [(60, 0, 5), (64, 3, 5)],
        ),
        # Struck under the pedal, and still down when it goes up.
        ([down(), on(60), off(60, 1), on(60, 1), up(1), off(60, 2)], [(60, 0, 5)]),
        # From 64 up it is down; a second "down" is nothing.
        ([control(64, 64), on(60), off(60, 1), control(64, 100, 1), up(1)], [(60, 0, 3)]),
        ([control(64, 63), on(60), off(60, 1), up(2)], [(60, 0, 1)]),
        # Never up: to the end of the track. All controllers reset: up.
        ([down(), on(60), off(60, 1), on(64, 1), off(64, 1)], [(60, 0, 3), (64, 2, 3)]),
        ([down(), on(60), off(60, 1), control(121, 0, 1), *_LATE], [(60, 0, 2), (60, 4, 5)]),
        # Another channel has a pedal of its own, and other pedals hold nothing.
        ([down(channel=1), on(60), off(60, 1), up(2, 1)], [(60, 0, 1)]),
        ([control(66, 127), on(60), off(60, 1), control(66, 0, 2)], [(60, 0, 1)]),
    ],
)
def test_the_sustain_pedal_holds_notes(tmp_path, track, expected):
    assert notes(tmp_path, track) == expected


@pytest.mark.parametrize("held", [[], [down(), on(62), off(62)]])
def test_what_is_never_ended_lasts_to_the_end_of_its_track(tmp_path, held):
    longer = [on(67, 3, 1), off(67, 1, 1)]
    expected = [(62, 0, 2)] if held else [(60, 0, 2)]
    track = [*(held or [on(60)]), on(64, 1), off(64, 1)]
    assert notes(tmp_path, track, longer) == [*expected, (64, 1, 2), (67, 3, 4)]


def test_a_pedal_is_that_of_its_channel_in_all_tracks(tmp_path):
    pedal = [down(), up(4)]
    hands = [on(60), off(60, 1)], [on(64, 1), off(64, 1)], [on(67, channel=1), off(67, 1, 1)]
    assert notes(tmp_path, pedal, *hands) == [(60, 0, 4), (64, 1, 4), (67, 0, 1)]
    # The channels of another port are others.
    port = bytes([0, 0xFF, 0x21, 1, 1])
    tracks = ([port if i == 1 else b"", *hand] for i, hand in enumerate(hands))
    assert notes(tmp_path, pedal, *tracks) == [(60, 0, 4), (64, 1, 2), (67, 0, 1)]


@pytest.mark.parametrize("number", [120, 123, 124, 127])
def test_all_notes_off_ends_what_sounds(tmp_path, number):
    chord = [on(60), on(64), on(67, 0, 1)]
    track = [*chord, control(number, 0, 2), off(67, 1, 1), on(60, 1), off(60, 1)]
    assert notes(tmp_path, track) == [(60, 0, 2), (60, 4, 5), (64, 0, 2), (67, 0, 3)]


def test_the_pedal_holds_after_all_notes_off_and_not_after_all_sound_off(tmp_path):
    track = [down(), on(60), control(123, 0, 1), up(2), *_LATE]
    assert notes(tmp_path, track) == [(60, 0, 3), (60, 5, 6)]
    track[2] = control(120, 0, 1)
    assert notes(tmp_path, track) == [(60, 0, 1), (60, 5, 6)]


def test_all_notes_off_at_the_start_of_a_track_spares_the_first_notes_of_another(tmp_path):
    assert notes(tmp_path, [on(60), off(60, 2)], [control(123, 0), control(120, 0)]) == [(60, 0, 2)]


def test_an_upbeat_is_the_first_step(tmp_path):
    # Three rests, a note before the bar line, and four in the bar.
    track = [on(67, 3), off(67, 1), *(on(60) + off(60, 2) for _ in range(2))]
    assert notes(tmp_path, track) == [(60, 1, 5), (67, 0, 1)]


# The tempo.


@pytest.mark.parametrize(
    ("tracks", "expected"),
    [
        ([_LATE], 120),  # What a file means that does not say.
        ([[tempo(600_000), *_LATE]], 100),
        ([[tempo(333_333), *_LATE]], 60e6 / 333_333),
        ([_LATE, [tempo(600_000)]], 100),
        # At the first note, be it the last of several at that time, and not after it.
        ([[tempo(600_000), tempo(400_000, 1), on(60, 1), tempo(200_000, 1), off(60, 1)]], 150),
        ([[tempo(600_000), tempo(400_000), *_LATE]], 150),
        # That of drums and of pitches that no piano has is not it.
        ([[on(9), off(9, 1), tempo(600_000), on(60), off(60, 1)]], 100),
        # No tempo: 0, or damaged.
        ([[tempo(0), bytes([0, 0xFF, 0x51, 2, 1, 1]), *_LATE]], 120),
    ],
)
def test_the_tempo_is_that_of_the_first_note(tmp_path, tracks, expected):
    assert read(tmp_path, *tracks).tempo_bpm == expected


@pytest.mark.parametrize("microseconds", [1, 59_999, 500_001, 2**24 - 1])
def test_every_tempo_is_written_as_it_was_read(tmp_path, microseconds):
    piece = read(tmp_path, [tempo(microseconds), *_LATE])
    write_midi(tmp_path / "b.mid", piece.roll, tempo_bpm=piece.tempo_bpm)
    assert mido.MidiFile(tmp_path / "b.mid").tracks[0][0].tempo == microseconds
    np.testing.assert_array_equal(read_midi(tmp_path / "b.mid").roll, piece.roll)


@pytest.mark.parametrize(
    ("length", "rest", "merged"),
    [(24, 0, 7), (48, 0, 0), (20, 28, 0), (12, 0, 11)],
    ids=["half a step", "a step", "staccato", "a quarter of a step"],
)
def test_notes_that_follow_each_other_within_a_step_are_counted(
    length: int, rest: int, merged: int, tmp_path: Path
) -> None:
    track = mido.MidiTrack()
    for pitch in range(60, 76):
        track.append(mido.Message("note_on", note=pitch, time=rest if pitch > 60 else 0))
        track.append(mido.Message("note_off", note=pitch, time=length))
    path = tmp_path / "scale.mid"
    mido.MidiFile(type=0, ticks_per_beat=96, tracks=[track]).save(path)
    assert read_midi(path, 2).num_merged == merged


def test_a_note_without_length_does_not_follow_itself(tmp_path: Path) -> None:
    track = [on(60), on(64, 2)]  # It ends as the second note starts.
    assert read(tmp_path, track).num_merged == 0
    assert notes(tmp_path, track) == [(60, 0, 2), (64, 2, 3)]
