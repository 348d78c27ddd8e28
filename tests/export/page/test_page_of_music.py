"""The page in a browser, with a model of music behind it."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
import pytest
from selenium.webdriver.common.keys import Keys

from export.serving.local_server import LocalServer
from tests.export.page.asked import ask
from tests.export.page.browser import Page
from tests.exported import MAX_LENGTH
from tests.music_files import PIECE
from train.data.music.midi import read_midi, write_midi
from train.data.music.rolls import pack_roll, unpack_roll

pytestmark = pytest.mark.nightly  # Another model, and another server.


@pytest.fixture
def piece(tmp_path: Path) -> Path:
    """A file of four steps."""
    path = tmp_path / "mine.mid"
    write_midi(path, PIECE[:4])
    return path


def shown(page: Page, place: str) -> list[str]:
    """What a roll on the page says of each of its steps, asked by the keyboard."""
    roll = page.find(f"#{place} canvas")
    roll.send_keys(Keys.HOME)
    said = [roll.get_attribute("aria-valuetext")]
    for _ in range(int(roll.get_attribute("aria-valuemax")) - 1):
        roll.send_keys(Keys.ARROW_RIGHT)
        said.append(roll.get_attribute("aria-valuetext"))
    return said


def names(roll: np.ndarray) -> list[str]:
    letters = ["C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B"]
    rows = []
    for t, step in enumerate(roll):
        notes = [letters[(21 + n) % 12] + str((21 + n) // 12 - 1) for n in np.flatnonzero(step)]
        rows.append(f"Step {t + 1}, beat {t // 2 + 1}: {' '.join(notes) or 'silence'}")
    return rows


def rolls(server: LocalServer, signature: str, **inputs: list) -> list[np.ndarray]:
    packed = ask(server, signature, **inputs)["roll_bytes"]
    return [unpack_roll(base64.b64decode(value["b64"])) for value in packed]


def test_a_piece_is_composed_played_and_saved(music_page: Page, music_server: LocalServer) -> None:
    page = music_page
    page.set_range("#compose-length", 8)
    page.go("compose")
    (roll,) = rolls(music_server, "generate", length=[8], seed=[0], temperature=[0.8])
    assert shown(page, "compose-piece") == names(roll)
    page.find("#compose-piece canvas").send_keys(Keys.HOME)
    page.set_range("#compose-piece .tempo input", 200)
    play = page.find("#compose-piece .play")
    play.click()
    assert play.text == "Stop"
    roll_view = page.find("#compose-piece canvas")
    page.until(lambda: "Step 3," in roll_view.get_attribute("aria-valuetext"))
    play.click()
    assert play.text == "Play"
    page.find("#compose-piece .save").click()
    file = page.downloaded("composed.mid")
    sounding = np.flatnonzero(roll.any(axis=1))
    np.testing.assert_array_equal(read_midi(file).roll, roll[sounding[0] : sounding[-1] + 1])
    assert read_midi(file).tempo_bpm == pytest.approx(200)
    assert not page.complaints()


def test_a_file_is_continued_and_varied(
    music_page: Page, music_server: LocalServer, piece: Path, tmp_path: Path
) -> None:
    page = music_page
    page.tab("file")
    assert "Give a piece first" in page.go("file")
    page.find("#file-source-file").send_keys(str(piece))
    page.until(lambda: "mine.mid: 4 steps, 3 notes." in page.text("#file-source"))
    page.set_range("#file-more", 4)
    assert page.go("file") == "The first 4 steps are yours; the other 4 are new."
    given = {"b64": base64.b64encode(pack_roll(PIECE[:4])).decode()}
    asked = {"roll_bytes": [given], "length": [8], "seed": [0], "temperature": [0.8]}
    (roll,) = rolls(music_server, "complete", **asked)
    assert shown(page, "file-piece") == names(roll)
    page.find("#file [value=vary]").click()
    assert page.find("#file-amount").is_displayed() and not page.find("#file-more").is_displayed()
    assert "of 4 steps differ" in page.go("file")
    bad = tmp_path / "bad.mid"
    bad.write_bytes(b"MThd, or not")
    page.find("#file-source-file").send_keys(str(bad))
    page.until(lambda: "bad.mid: This is no MIDI file." in page.text("#file-source"))
    # The piece before has gone, too.
    assert not page.find("#file-source-steps").is_displayed()
    assert "Give a piece first" in page.go("file")
    assert not page.complaints()


def test_a_file_is_read_again_with_other_steps_in_a_beat(
    music_page: Page, piece: Path, tmp_path: Path
) -> None:
    page, beat = music_page, music_page.find("#steps-per-beat")
    page.tab("file")
    fast = tmp_path / "fast.mid"
    write_midi(fast, np.eye(8, 88, 40, dtype=np.uint8), 4)
    page.find("#file-source-file").send_keys(str(fast))
    page.until(lambda: "5 steps, 8 notes. 3 of its notes sound" in page.text("#file-source"))
    beat.clear()
    beat.send_keys("4", Keys.TAB)
    page.until(lambda: "fast.mid: 8 steps, 8 notes." in page.text("#file-source"))
    assert "together" not in page.text("#file-source")
    for wrong in ("0", "", "1.5", "481"):
        beat.clear()
        beat.send_keys(wrong, Keys.TAB)
        said = "Give a whole number from 1 to 480. Until then it is 4."
        assert page.text("#steps-per-beat-error") == said
        assert beat.get_attribute("aria-invalid") == "true"
    assert "fast.mid: 8 steps, 8 notes." in page.text("#file-source")
    beat.clear()
    beat.send_keys("2", Keys.TAB)
    page.until(lambda: "fast.mid: 5 steps" in page.text("#file-source"))
    assert page.text("#steps-per-beat-error") == ""
    assert not page.complaints()


def test_a_piece_has_the_tempo_of_its_file_until_another_is_chosen(
    music_page: Page, tmp_path: Path
) -> None:
    page = music_page
    page.tab("file")
    slider = page.find("#file-piece .tempo input")

    def made(tempo: float, name: str) -> str:
        path = tmp_path / name
        write_midi(path, PIECE[:4], tempo_bpm=tempo)
        page.find("#file-source-file").send_keys(str(path))
        page.until(lambda: name in page.text("#file-source"))
        page.go("file")
        return page.find("#file-piece .tempo output").text

    assert made(137.3, "a.mid") == "137.3"
    assert made(400, "b.mid") == "400"
    page.find("#file-piece .save").click()
    file = page.downloaded("made.mid")
    assert read_midi(file).tempo_bpm == pytest.approx(400)
    slider.send_keys(Keys.HOME)
    assert slider.get_property("value") == "20"
    page.go("file")
    assert slider.get_property("value") == "20"  # What was chosen for this piece.
    assert made(90, "c.mid") == "90"
    page.find("#file-source button").click()
    page.until(lambda: "Composed by the model" in page.text("#file-source"))
    page.set_range("#file-source-steps", 4)
    page.go("file")
    assert page.find("#file-piece .tempo output").text == "100"


def test_between_two_pieces_and_the_noise_of_one(music_page: Page, piece: Path) -> None:
    page = music_page
    page.tab("between")
    page.find("#between-source-first-file").send_keys(str(piece))
    page.find("#between-source-last button").click()
    page.until(lambda: "Composed by the model" in page.text("#between-source-last"))
    page.go("between")
    ends = []
    for key in (Keys.HOME, Keys.END):
        page.find("#between-place").send_keys(key)
        ends.append(len(shown(page, "between-piece")))
    assert ends == [4, MAX_LENGTH]
    page.tab("noise")
    page.find("#noise-source-file").send_keys(str(piece))
    page.until(lambda: "mine.mid" in page.text("#noise-source"))
    page.go("noise")
    page.find("#noise-piece canvas").send_keys(Keys.HOME, Keys.ARROW_RIGHT)
    assert page.text("#noise-step-number") == "2"
    page.find("#noise-slider-0").send_keys(Keys.HOME)
    assert "changed" in page.until(lambda: "changed" in page.done("noise") and page.done("noise"))
    assert not page.complaints()


@pytest.mark.parametrize("width", [400, 1400])
def test_no_panel_is_wider_than_the_screen(music_page: Page, piece: Path, width: int) -> None:
    piece = piece.rename(piece.with_name(f"{'x' * 120}.mid"))
    with music_page.screen(width):
        for panel in ("compose", "file", "between", "noise"):
            music_page.tab(panel)
            for source in music_page.all(f"#{panel} .file"):
                source.send_keys(str(piece))
            music_page.until(lambda: len(music_page.all(".source .hint")) > 0)
            music_page.go(panel)
            assert music_page.overflow() <= 0, panel
            controls = f"const c = document.querySelector('#{panel} .controls');"
            assert music_page.run(f"{controls} return c.scrollWidth - c.clientWidth") == 0, panel
        tabs = "const t = document.querySelector('.tabs'); return t.scrollWidth - t.clientWidth"
        assert music_page.run(tabs) == 0  # They have no scrollbar.
