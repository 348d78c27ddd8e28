"""Any bytes as a MIDI file: read, or refused with the reason, in time and memory linear in them."""

from __future__ import annotations

import gzip
import random
import struct
import time
import tracemalloc

import pytest

from tests.music_files import smf
from train.data.music.midi import read_midi
from train.data.music.midi_source import MAX_BYTES
from train.data.music.rolls import notes_of
from train.support.errors import UserError

NOTES = b"".join(bytes([0, 0x90, p, 80, 96, 0x80, p, 64]) for p in (60, 62, 64))
READ = [(60, 0, 2), (62, 2, 4), (64, 4, 6)]


def read(folder, data):
    path = folder / "a.mid"
    path.write_bytes(data)
    return read_midi(path)


def notes(folder, data):
    return [tuple(note) for note in notes_of(read(folder, data).roll)]


def chunk(name, content=b"", order=">"):
    return name + struct.pack(f"{order}L", len(content)) + content


def riff(data, kind=b"RMID"):
    before, after = chunk(b"DISP", b"odd", "<") + b"\0", chunk(b"LIST", b"INFO", "<")
    return chunk(b"RIFF", kind + before + chunk(b"data", data, "<") + after, "<")


def meta(kind, content=b""):
    return bytes([0, 0xFF, kind, len(content)]) + content


# What is not needed does no harm.


@pytest.mark.parametrize("content", [b"", b"\xff", b"\x80\x80", b"\xff\x2f\x00" * 9])
def test_a_meta_event_of_any_kind_and_size_is_skipped(tmp_path, content):
    for kind in set(range(0x80)) - {0x2F}:
        assert notes(tmp_path, smf(meta(kind, content) + NOTES)) == READ, kind


@pytest.mark.parametrize(
    "event",
    [
        b"\0\xf0\x05\x7e\x7f\x09\x01\xf7",  # System exclusive,
        b"\0\xf7\x03\x90\x3c\x40",  # and what is only sent on.
        b"\0\xc0\x05",
        b"\0\xd0\x40",
        b"\0\xe0\0\x40\0\1\1",  # With running status.
        b"\0\xa0\x3c\x40",
        b"\0\xb0\x07\x64",
        b"\0\xf2\1\1",
        b"\0\xf8",
        b"\0\xfe",
    ],
)
def test_an_event_of_another_kind_is_skipped(tmp_path, event):
    assert notes(tmp_path, smf(event + NOTES)) == READ


def test_running_status_goes_on_after_a_meta_event(tmp_path):
    track = b"\0\x90\x3c\x50" + meta(1, b"la") + b"\x60\x3c\0\0\x3e\x50\x60\x3e\0"
    assert notes(tmp_path, smf(track)) == READ[:2]


def test_chunks_that_are_no_tracks_are_skipped(tmp_path):
    data = smf(NOTES)
    header, track = data[:14], data[14:]
    header = header.replace(b"\0\1\0\1", b"\0\1\0\2")
    other = smf(b"\0\x90\x48\x50\x60\x48\0")[14:]
    found = notes(tmp_path, header + chunk(b"XFIH", b"abcde") + track + chunk(b"\0\0\0\0") + other)
    assert found == [*READ, (72, 0, 2)]
    # Whatever comes after the last track.
    assert notes(tmp_path, data + b"\0" * 5) == READ
    assert notes(tmp_path, data + b"TAG" + b"\xff" * 125) == READ


def test_a_longer_header_is_read(tmp_path):
    data = smf(NOTES)
    assert notes(tmp_path, data[:4] + b"\0\0\0\x08" + data[8:14] + b"\1\2" + data[14:]) == READ


def test_a_track_ends_with_its_end_of_track(tmp_path):
    rest = b"\0\x90\x48\x50\x60\x48\0"
    assert notes(tmp_path, smf(NOTES + b"\0\xff\x2f\0" + rest)) == READ
    assert notes(tmp_path, smf(NOTES)[:-4].replace(b"\x1c", b"\x18")) == READ  # It has none.
    # Its size is too large, and nothing is missing.
    assert notes(tmp_path, smf(NOTES).replace(b"MTrk\0\0\0", b"MTrk\0\0\1")) == READ


@pytest.mark.parametrize("promised", [0, 2, 65535])
def test_the_tracks_that_are_there_are_read(tmp_path, promised):
    piece = read(tmp_path, smf(NOTES, promised=promised))
    assert [tuple(note) for note in notes_of(piece.roll)] == READ
    missing = (f"its header declares {promised} tracks, but it has 1",)
    assert piece.remarks == (missing if promised > 1 else ())


def test_one_track_of_type_2_is_one_piece(tmp_path):
    assert notes(tmp_path, smf(NOTES, kind=2)) == READ


# In what they are wrapped.


def test_gzip_and_riff_are_taken_off(tmp_path):
    data = smf(NOTES)
    for wrapped in (gzip.compress(data, mtime=0), riff(data), gzip.compress(riff(data), mtime=0)):
        assert notes(tmp_path, wrapped) == READ
        assert notes(tmp_path, wrapped + b"\0\0") == READ
    # A size that no one filled in.
    assert notes(tmp_path, b"RIFF\0\0\0\0RMIDdata\xff\xff\xff\xff" + data) == READ


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (riff(smf(NOTES), b"WAVE"), "it is RIFF of the type b'WAVE', and not RMID"),
        (riff(b""), "it ends too early"),
        (b"RIFF\0\0\0\0RMID", "its RIFF has no chunk 'data'"),
        (gzip.compress(smf(NOTES), mtime=0)[:-9], "its gzip data end too early"),
        (gzip.compress(smf(NOTES), mtime=0)[:10] + b"\xff" * 20, "its gzip is damaged"),
        (gzip.compress(b"hello", mtime=0), "it does not begin with MThd"),
        (gzip.compress(bytes(MAX_BYTES + 1), mtime=0), "it has more than 8 MiB"),
        (smf(NOTES) + bytes(MAX_BYTES), "it has more than 8 MiB"),
        (b"MThd" + struct.pack(">LHH", 4, 1, 1) + smf(NOTES)[12:], "its header has 4 bytes"),
        (smf(NOTES)[:-4] + b"MT", "it ends too early"),
        (smf(NOTES, NOTES)[:60], "it ends too early"),
        (smf(b"\0\x3c\x50"), "expected the start of an event; got a data byte"),
        (smf(b"\0\x90\x3c\x90"), "expected a data byte; got the start of an event"),
        (smf(b"\0\xf5"), "undefined status 0xf5"),
        (smf(b"\x80" * 9), "a number has more than 4 bytes"),
        (smf(NOTES + b"\0\xff\1\x7f"), "an event is longer than its track"),
        (smf(NOTES + b"\0\xf0\xff\xff\xff\x7f"), "an event is longer than its track"),
    ],
)
def test_a_damaged_file_is_refused_with_the_reason(tmp_path, data, message):
    with pytest.raises(UserError, match=rf"expected a MIDI file in .*{message}"):
        read(tmp_path, data)


# Hostile bytes.


def _many(event, number, before=b"\0\x90\x3c\x50", after=b""):
    return smf(before + event * number + after)


@pytest.mark.parametrize(
    "hostile",
    [
        lambda n: _many(b"\0\x3c\x50", n),  # One pitch, started again and again,
        lambda n: _many(b"\0\x3c\x50", n // 2, after=b"\0\x3c\0" * (n // 2)),  # and ended so,
        lambda n: _many(b"\0\x3c\0\0\x3c\x50", n // 2),  # or in turn.
        lambda n: _many(b"".join(bytes([0, p, 80]) for p in range(128)), n // 128),
        lambda n: smf(*[b"\0\x90\x3c\x50\x60\x3c\0"] * n),
        lambda n: smf(*[b"\0\x90\x3c\x50"] * n, b"\0\xb0\x7b\0" * n),
        lambda n: _many(b"\0\xb0\x40\x7f\0\x90\x3c\x50\0\x3c\0\0\xb0\x7b\0\0\x78\0", n // 5),
        lambda n: _many(b"\0\xff\x51\x03\x01\x01\x01", n),
        lambda n: _many(b"\0\xff\x21\x01\x01\0\x90\x3c\x50", n),
        lambda n: smf(*[b"\0\x90\x3c\x50\xa7\x40\x3c\0"] * n),  # Long notes over each other.
        lambda n: smf(*[b""] * n, b"\0\x90\x3c\x50"),
        lambda n: smf(NOTES) + chunk(b"none") * n,
        lambda n: b"RIFF\0\0\0\0RMID" + chunk(b"none") * n + chunk(b"data", smf(NOTES), "<"),
    ],
)
def test_time_and_memory_are_linear(tmp_path, hostile):
    number = 30_000  # A file may hold over three hundred times this.
    data = hostile(number)
    (tmp_path / "a.mid").write_bytes(data)
    started = time.process_time()
    read_midi(tmp_path / "a.mid")
    seconds = time.process_time() - started
    assert seconds < 10e-5 * number  # Ten times what it takes; a search for each takes minutes.
    tracemalloc.start()
    read(tmp_path, hostile(number // 10))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**24 + 50 * len(data) / 10


def test_times_beyond_64_bits_are_counted(tmp_path):
    rest = b"\xff\xff\xff\x7f\xff\1\0"
    late = read(tmp_path, smf(rest * 1000 + NOTES))
    assert [tuple(note) for note in notes_of(late.roll)] == READ
    path = tmp_path / "a.mid"
    path.write_bytes(smf(NOTES + rest * 100_000 + b"\0\x90\x3c\x50"))
    with pytest.raises(UserError, match="at most 10,000 time steps"):
        read_midi(path, 10**9)


def _mutated(rng, data):
    data = bytearray(data)
    for _ in range(rng.choice([1, 1, 1, 2, 5])):
        at = rng.randrange(len(data))
        kind = rng.randrange(4)
        if kind == 0:
            data[at] = rng.randrange(256)
        elif kind == 1:
            del data[at : at + rng.randrange(1, 20)]
        elif kind == 2:
            data[at:at] = rng.randbytes(rng.randrange(1, 8))
        else:
            data[at : at + 4] = rng.choice(
                [b"MTrk", b"\xff\xff\xff\xff", b"\0\0\0\0", b"\0\xff\x2f\0"]
            )
        data = data or bytearray(b"\0")
    return bytes(data)


def test_random_and_mutated_bytes_are_read_or_refused(tmp_path):
    rng = random.Random(0)
    pedal = b"\0\xb0\x40\x7f" + NOTES + b"\x10\xb0\x7b\0\0\x40\0" + meta(0x51, b"\1\2\3")
    seeds = [smf(NOTES, pedal, b""), riff(smf(pedal)), gzip.compress(smf(NOTES)), smf(NOTES * 99)]
    num_read = 0
    for number in range(1500):
        if number % 6 == 0:
            data = smf(rng.randbytes(rng.randrange(200)), rng.randbytes(9))
        elif number % 6 == 1:
            data = rng.randbytes(rng.randrange(99))
        else:
            data = _mutated(rng, rng.choice(seeds))
        try:
            piece = read(tmp_path, data)
        except UserError as error:
            assert "\n" not in str(error)
        else:
            num_read += 1
            assert piece.roll[0].any() and piece.roll[-1].any()
    assert 100 < num_read < 1400
