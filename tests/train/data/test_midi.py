import io
import struct

import mido
import numpy as np
import pytest

from train.data.music.midi import read_midi, write_midi
from train.data.music.midi_notes import MAX_STEPS
from train.data.music.rolls import Note, roll_of
from train.support.errors import UserError

_TICKS = 96


def _message(kind, note, time=0, channel=0, velocity=64):
    return mido.Message(kind, note=note, time=time, channel=channel, velocity=velocity)


def _note(note, ticks, after=0, channel=0):
    return [
        _message("note_on", note, after, channel),
        _message("note_off", note, ticks, channel),
    ]


def _midi(*tracks, kind=1):
    file = mido.MidiFile(type=kind, ticks_per_beat=_TICKS)
    file.tracks += [mido.MidiTrack(track) for track in tracks]
    data = io.BytesIO()
    file.save(file=data)
    return data.getvalue()


def _read(folder, *tracks, steps_per_beat=2):
    path = folder / "a.mid"
    path.write_bytes(_midi(*tracks))
    return read_midi(path, steps_per_beat)


def _random_roll(rng):
    """A roll with held notes, that neither starts nor ends in silence."""
    roll = np.zeros([rng.integers(1, 60), 88], np.uint8)
    for _ in range(rng.integers(1, 30)):
        start = rng.integers(len(roll))
        roll[start : start + rng.integers(1, 9), rng.integers(88)] = 1
    roll[[0, -1], rng.integers(88, size=2)] = 1
    return roll


# Writing.


@pytest.mark.parametrize("steps_per_beat", [1, 2, 4, 7, 480])
def test_roll_is_read_as_it_was_written(tmp_path, steps_per_beat):
    rng = np.random.default_rng(steps_per_beat)
    path = tmp_path / "a.mid"
    for _ in range(10):
        roll = _random_roll(rng)
        write_midi(path, roll, steps_per_beat)
        piece = read_midi(path, steps_per_beat)
        assert piece.roll.dtype == np.uint8 and piece.num_outside == 0
        np.testing.assert_array_equal(piece.roll, roll)
    assert [file.name for file in tmp_path.iterdir()] == ["a.mid"]


def test_held_note_is_written_as_one(tmp_path):
    path = tmp_path / "a.mid"
    # 60 is held while 64 comes and goes twice, the second time without a gap to 65.
    roll = roll_of([Note(60, 1, 7), Note(64, 2, 3), Note(64, 4, 5), Note(65, 5, 6)], 9)
    write_midi(path, roll, steps_per_beat=4, tempo_bpm=120)
    file = mido.MidiFile(path)
    assert (file.type, len(file.tracks)) == (0, 1)
    now, changes = 0, []
    for message in file.tracks[0]:
        now += message.time
        if not message.is_meta:
            changes.append((now / file.ticks_per_beat * 4, message.type, message.note))
    assert changes == [
        (1, "note_on", 60),
        (2, "note_on", 64),
        (3, "note_off", 64),
        (4, "note_on", 64),
        (5, "note_off", 64),
        (5, "note_on", 65),
        (6, "note_off", 65),
        (7, "note_off", 60),
    ]
    assert file.length == pytest.approx(9 / 4 * 60 / 120)  # Silence at the end is kept.


def test_silence_and_booleans_can_be_written(tmp_path):
    path = tmp_path / "a.mid"
    write_midi(path, np.zeros([4, 88], bool))
    assert mido.MidiFile(path).length == pytest.approx(2 * 60 / 100)


def test_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.mid"
    path.write_bytes(b"old")
    monkeypatch.setattr("os.replace", lambda *paths: (_ for _ in ()).throw(OSError()))
    with pytest.raises(OSError):
        write_midi(path, np.ones([4, 88], np.uint8))
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize(
    ("roll", "settings", "message"),
    [
        (np.zeros([4, 87], np.uint8), {}, r"a roll \[T, 88\] of 0 and 1; got \[4, 87\]"),
        (np.zeros([88], np.uint8), {}, r"got \[88\]"),
        (np.full([4, 88], 0.5), {}, "of float64"),
        (np.zeros([4, 88]), {"steps_per_beat": 0}, "steps_per_beat from 1 to 480; got 0"),
        (np.zeros([4, 88]), {"tempo_bpm": 0}, r"tempo_bpm from 3\.58 to 60,000,000; got 0"),
    ],
)
def test_what_cannot_be_written_is_refused(tmp_path, roll, settings, message):
    with pytest.raises(ValueError, match=message):
        write_midi(tmp_path / "a.mid", roll, **settings)


# Reading.


@pytest.mark.parametrize(
    ("start", "end", "steps"),
    [
        (0, 48, (0, 1)),
        (0, 23, (0, 1)),  # Shorter than half a step is a step.
        (0, 0, (0, 1)),
        (23, 48, (0, 1)),
        (24, 72, (1, 2)),  # Halfway goes to the later step, at both ends,
        (72, 120, (2, 3)),  # be it odd or even.
        (95, 191, (2, 4)),
    ],
)
def test_time_goes_to_the_nearest_step(tmp_path, start, end, steps):
    anchor = _note(21, 960)  # From step 0 to 20, so that no silence is cut off.
    roll = _read(tmp_path, anchor, _note(60, end - start, after=start)).roll
    np.testing.assert_array_equal(roll, roll_of([Note(21, 0, 20), Note(60, *steps)], 20))


@pytest.mark.parametrize(
    ("track", "notes"),
    [
        # Velocity 0 ends a note.
        ([_message("note_on", 60), _message("note_on", 60, 96, velocity=0)], [(60, 0, 2)]),
        # A note without an end lasts to the end of its track.
        ([_message("note_on", 60), *_note(62, 96)], [(60, 0, 2), (62, 0, 2)]),
        # Struck again before its end: it sounds from the first to the end.
        (
            [_message("note_on", 60), _message("note_on", 60, 48), _message("note_off", 60, 48)],
            [(60, 0, 2)],
        ),
        # Struck again where the old note ends, in the wrong order: the new one still sounds.
        (
            [
                _message("note_on", 60),
                _message("note_on", 60, 48),
                _message("note_off", 60),
                _message("note_off", 60, 96),
            ],
            [(60, 0, 3)],
        ),
        # An end without a start is nothing; so is silence around the piece.
        (
            [_message("note_off", 60), *_note(62, 96, after=960), _message("note_off", 1, 960)],
            [(62, 0, 2)],
        ),
        # The same pitch on two channels.
        (
            [
                _message("note_on", 60),
                _message("note_on", 60, 48, channel=1),
                _message("note_off", 60, channel=0),
                _message("note_off", 60, 96, channel=1),
            ],
            [(60, 0, 3)],
        ),
        # Drums are no pitches.
        ([*_note(60, 48), *_note(36, 480, channel=9)], [(60, 0, 1)]),
    ],
)
def test_notes_of_a_track(tmp_path, track, notes):
    notes = [Note(*note) for note in notes]
    expected = roll_of(notes, max(note.end for note in notes))
    np.testing.assert_array_equal(_read(tmp_path, track).roll, expected)


def test_tracks_sound_together(tmp_path):
    roll = _read(tmp_path, [mido.MetaMessage("set_tempo")], _note(60, 96), _note(64, 48)).roll
    np.testing.assert_array_equal(roll, roll_of([Note(60, 0, 2), Note(64, 0, 1)], 2))


def test_notes_outside_the_piano_are_left_out_and_counted(tmp_path):
    track = [*_note(20, 48), *_note(21, 48), *_note(108, 48), *_note(109, 48), *_note(127, 48)]
    piece = _read(tmp_path, track)
    assert piece.num_outside == 3
    assert piece.remarks == ("3 of its notes left out: not in 21..108",)
    np.testing.assert_array_equal(piece.roll, roll_of([Note(21, 0, 1), Note(108, 1, 2)], 2))


def test_longest_piece_is_read(tmp_path):
    path = tmp_path / "a.mid"
    path.write_bytes(_midi(_note(60, MAX_STEPS * 48)))
    assert read_midi(path).roll.shape == (MAX_STEPS, 88)


_TEN_HOURS = 10 * 60 * 120  # Beats, at 120 in a minute.
_SMPTE = struct.pack(">4sLhhh", b"MThd", 6, 1, 1, (-25 << 8) | 40) + _midi(_note(60, 9))[14:]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "a MIDI file in .*it ends too early"),
        (b"RIFF or anything else", "a MIDI file in .*it is RIFF of the type b'anyt'"),
        (_midi(_note(60, 48))[:-9], "a MIDI file in .*it ends too early"),
        (b"Once upon a time", "a MIDI file in .*it does not begin with MThd"),
        (_midi(_note(60, 48)).replace(b"MTrk", b"MTrx"), "a MIDI file in .*no track"),
        (_midi(_note(60, 48)).replace(b"\x90", b"\xf4"), "a MIDI file in .*undefined status"),
        (_midi(), "a MIDI file in .*no track"),
        (_midi([mido.MetaMessage("set_tempo")]), "it has none, or only drums"),
        (_midi(_note(60, 48, channel=9)), "it has none, or only drums"),
        (_midi(_note(20, 48), _note(109, 48)), "it has only 2 others"),
        (_midi(_note(60, 48), _note(62, 48), kind=2), "type 0 or 1 .*got type 2, whose tracks are"),
        (_midi(_note(60, 48)).replace(b"\0\6\0\1", b"\0\6\0\7"), "got type 7, which is none"),
        (_SMPTE, "SMPTE"),
        (_midi(_note(60, 48)).replace(b"\0\x60MT", b"\0\0MT"), "0 ticks per beat, so its times"),
        (_midi(_note(60, 48 * (MAX_STEPS + 1))), "at most 10,000 .*lasts 10,001"),
        (
            _midi([*_note(60, 96), *_note(60, 96, after=_TEN_HOURS * _TICKS)]),
            r"lasts 144,004 \(2 in each of 72,002 beats\)",
        ),
        (_midi([*_note(60, 48), *_note(60, 2**28 - 1)] * 90), "at most 10,000 time steps"),
    ],
)
def test_file_that_cannot_be_used_is_refused(tmp_path, data, message):
    path = tmp_path / "a.mid"
    path.write_bytes(data)
    with pytest.raises(UserError, match=message) as raised:
        read_midi(path)
    assert str(path) in str(raised.value)


def test_file_that_is_not_there_is_an_error_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_midi(tmp_path / "a.mid")
