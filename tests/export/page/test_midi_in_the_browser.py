"""MIDI files as the page reads and writes them, against the readers of `train.data.music`."""

from __future__ import annotations

import base64
import gzip
import io
from pathlib import Path

import mido
import numpy as np
import pytest

from tests.export.page.browser import Page
from tests.music_files import random_rolls, smf
from tests.paths import ROOT
from train.data.music.midi import read_midi, write_midi
from train.data.music.rolls import pack_roll
from train.support.errors import UserError

READ = """
const [coded, stepsPerBeat] = arguments;
return (async () => {
  try {
    const bytes = await midiBytes(bytesOfBase64(coded));
    const {roll, tempo, remarks} = readMidi(bytes, stepsPerBeat);
    return {roll: base64OfBytes(packRoll(roll)), tempo, remarks};
  } catch (error) {
    if (!(error instanceof MidiError)) throw error;
    return {error: error.message};
  }
})();
"""
WRITE = """
const roll = unpackRoll(bytesOfBase64(arguments[0]));
return base64OfBytes(writeMidi(roll, arguments[1], arguments[2]));
"""


def packed(roll: np.ndarray) -> str:
    return base64.b64encode(pack_roll(roll)).decode()


def random_event(rng: np.random.Generator) -> mido.Message | mido.MetaMessage:
    kinds = ("note_on", "note_off", "control_change", "set_tempo", "lyrics")
    kind = str(rng.choice(kinds, p=[0.5, 0.3, 0.1, 0.05, 0.05]))
    time, channel = int(rng.integers(0, 200)), int(rng.choice([0, 0, 1, 9]))
    if kind == "set_tempo":
        return mido.MetaMessage(kind, tempo=int(rng.integers(2e5, 2e6)), time=time)
    if kind == "lyrics":
        return mido.MetaMessage(kind, text="la", time=time)
    if kind == "control_change":
        control = int(rng.choice([64, 64, 120, 121, 123, 7]))
        what = {"control": control, "value": int(rng.choice([0, 127]))}
    else:
        note = int(rng.choice([20, 60, 61, 109]))
        what = {"note": note, "velocity": int(rng.choice([0, 80]))}
    return mido.Message(kind, channel=channel, time=time, **what)


def random_file(rng: np.random.Generator) -> bytes:
    """Events of all kinds in any order, on a few channels and keys."""
    file = mido.MidiFile(type=1, ticks_per_beat=int(rng.integers(1, 500)))
    for _ in range(rng.integers(1, 4)):
        track = mido.MidiTrack()
        for _ in range(rng.integers(1, 60)):
            track.append(random_event(rng))
        file.tracks.append(track)
    data = io.BytesIO()
    file.save(file=data)
    return data.getvalue()


def compare(page: Page, data: bytes, steps_per_beat: int, path: Path) -> bool:
    """Whether both read a file, alike; or neither does."""
    path.write_bytes(data)
    found = page.run(READ, base64.b64encode(data).decode(), steps_per_beat)
    try:
        piece = read_midi(path, steps_per_beat)
    except UserError:
        assert "error" in found
        return False
    assert found["roll"] == packed(piece.roll)
    assert found["tempo"] == pytest.approx(piece.tempo_bpm)
    remarks = [f"{remark[0].upper()}{remark[1:]}." for remark in piece.remarks]
    if piece.num_merged:
        assert found["remarks"].pop().startswith(f"{piece.num_merged} of its notes sound")
    assert found["remarks"] == remarks
    return True


def test_files_are_read_alike(page_file: Page, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    files = [random_file(rng) for _ in range(60)]
    models = ROOT / "tf_latentflow" / "pretrained" / "models" / "chorales" / "samples"
    files += [file.read_bytes() for file in sorted(models.glob("*.mid"))]
    read = [compare(page_file, data, 1 + i % 4, tmp_path / "a.mid") for i, data in enumerate(files)]
    assert sum(read) > 50


def test_what_is_no_midi_file_is_refused(page_file: Page, tmp_path: Path) -> None:
    whole = random_file(np.random.default_rng(1))
    status = whole[:22] + b"\x01\x01" + whole[24:]  # Data where an event should begin.
    for data in (b"MThd", b"GIF89a" + bytes(40), whole[:40], whole[:14], status):
        found = page_file.run(READ, base64.b64encode(data).decode(), 2)
        assert "MIDI file" in found["error"]
        assert not compare(page_file, data, 2, tmp_path / "a.mid")


def file_of(*pitches: int, channel: int = 0, **header: int) -> bytes:
    """Notes of a quarter of a beat, one after the other."""
    notes = ([0, 0x90 | channel, pitch, 80, 24, 0x80 | channel, pitch, 0] for pitch in pitches)
    return smf(b"".join(map(bytes, notes)), **header)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "This file is empty."),
        (file_of(60, division=0), "This MIDI file has 0 ticks in a beat"),
        (file_of(60, division=0xE728), "This MIDI file counts time in film frames"),
        (file_of(60, kind=3), "This MIDI file is of type 3"),
        (file_of(110, 12, 109), "no notes of a piano: it has only 3 others."),
        (file_of(110), "it has only 1 other."),
        (file_of(40, channel=9), "This MIDI file has no notes, or only drums."),
    ],
)
def test_what_cannot_be_used_is_said(
    page_file: Page, tmp_path: Path, data: bytes, said: str
) -> None:
    assert said in page_file.run(READ, base64.b64encode(data).decode(), 2)["error"]
    assert not compare(page_file, data, 2, tmp_path / "a.mid")


def test_what_is_lost_of_a_file_is_said(page_file: Page, tmp_path: Path) -> None:
    data = file_of(60, 62, 64, 65, 67, 110, kind=2)  # A single track of type 2 is one piece.
    assert compare(page_file, data, 2, tmp_path / "a.mid")
    assert page_file.run(READ, base64.b64encode(data).decode(), 2)["remarks"] == [
        "1 of its notes left out: not in 21..108.",
        "2 of its notes sound together with the note before them, since a step is 1/2 of a beat.",
    ]
    assert page_file.run(READ, base64.b64encode(file_of(60, 62)).decode(), 1)["remarks"] == [
        "1 of its notes sounds together with the note before it, since a step is a beat."
    ]


def riff_of(data: bytes, kind: bytes = b"RMID") -> bytes:
    """A RIFF file with a chunk of odd size before that of the data."""
    chunks = kind + b"DISP" + (3).to_bytes(4, "little") + b"abc\0"
    chunks += b"data" + len(data).to_bytes(4, "little") + data
    return b"RIFF" + len(chunks).to_bytes(4, "little") + chunks


def test_wrapped_files_are_read_alike(page_file: Page, tmp_path: Path) -> None:
    data = random_file(np.random.default_rng(2))
    for wrapped in (
        gzip.compress(data, mtime=0),
        riff_of(data),
        gzip.compress(riff_of(data), mtime=0),
    ):
        assert compare(page_file, wrapped, 2, tmp_path / "a.mid")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (gzip.compress(b"MThd" + bytes(100), mtime=0)[:-9], "compressed by gzip, and damaged"),
        (gzip.compress(bytes(2**23 + 1), mtime=0), "more than 8 MiB"),
        (gzip.compress(b"no music", mtime=0), "This is no MIDI file."),
        (riff_of(b"", kind=b"WAVE"), "RIFF of the type WAVE"),
        (riff_of(b"")[:-8], 'no chunk "data"'),
        (riff_of(b"no music"), "This is no MIDI file."),
    ],
)
def test_what_is_wrapped_badly_is_refused(
    page_file: Page, tmp_path: Path, data: bytes, said: str
) -> None:
    assert said in page_file.run(READ, base64.b64encode(data).decode(), 2)["error"]
    assert not compare(page_file, data, 2, tmp_path / "a.mid")


@pytest.mark.parametrize("steps_per_beat", [1, 2, 7])
def test_files_are_written_alike(page_file: Page, tmp_path: Path, steps_per_beat: int) -> None:
    path = tmp_path / "a.mid"
    for roll in random_rolls(5, seed=steps_per_beat):
        written = page_file.run(WRITE, packed(roll), steps_per_beat, 90)
        write_midi(path, roll, steps_per_beat, 90)
        ours, theirs = (
            mido.MidiFile(path),
            mido.MidiFile(file=io.BytesIO(base64.b64decode(written))),
        )
        assert theirs.ticks_per_beat == ours.ticks_per_beat
        assert list(theirs.tracks[0]) == list(ours.tracks[0])
