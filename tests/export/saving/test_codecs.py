from __future__ import annotations

import numpy as np
import tensorflow as tf

from export.saving.roll_codec import RollCodec
from export.saving.text_codec import TextCodec, write_vocabulary
from tf_latentflow.vocabulary import UNKNOWN_ID, Vocabulary

# A line feed, a tab, a carriage return, NUL and a byte order mark: a file of lines must not mind.
_CHARACTERS = tuple("\0\t\n\r 'abcé\u2028語\ufeff\ufffd😀")


def _codec(tmp_path, max_length):
    write_vocabulary(tmp_path / "vocabulary.txt", _CHARACTERS)
    return TextCodec(tmp_path / "vocabulary.txt", max_length)


def _texts(num, longest):
    """Random texts, half of their characters known, the others from all of Unicode."""
    rng = np.random.default_rng(0)
    code_points = np.concatenate([np.arange(0xD800), np.arange(0xE000, 0x110000)])
    for length in rng.integers(0, longest + 1, num):
        known = rng.choice(_CHARACTERS, length)
        others = [chr(c) for c in rng.choice(code_points, length)]
        yield "".join(np.where(rng.random(length) < 0.5, known, others).tolist())


def test_ids_are_those_of_training(tmp_path):
    vocabulary, longest = Vocabulary(_CHARACTERS), 20
    codec = _codec(tmp_path, longest)
    texts = ["", *_CHARACTERS, "?", "\ufeffa\ufeff", "a\0b", *_texts(10_000, longest)]
    encoded = codec.encode(tf.constant([text.encode() for text in texts]))
    unknown = []
    for text, x, length in zip(texts, encoded.x.numpy(), encoded.lengths.numpy(), strict=True):
        ids = vocabulary.encode(text)
        assert x[:length].tolist() == ids.tolist() and not x[length:].any()
        unknown.append(int((ids == UNKNOWN_ID).sum()))
    assert encoded.counts.numpy().tolist() == [len(text) for text in texts]
    assert encoded.num_unknown.numpy().tolist() == unknown


def test_texts_come_back_and_unknown_characters_as_one(tmp_path):
    codec, vocabulary = _codec(tmp_path, 20), Vocabulary(_CHARACTERS)
    texts = list(_texts(200, 20))
    encoded = codec.encode(tf.constant([text.encode() for text in texts]))
    decoded = codec.decode(encoded.x, encoded.lengths).numpy()
    expected = [vocabulary.decode(vocabulary.encode(text)) for text in texts]
    assert [text.decode() for text in decoded] == expected
    padding = codec.decode(tf.constant([[0, 4, 1]]), tf.constant([3])).numpy()
    assert padding[0].decode() == "\ufffd\n\ufffd"


def test_a_text_above_the_maximum_counts_and_has_no_ids(tmp_path):
    codec = _codec(tmp_path, 3)
    encoded = codec.encode(tf.constant(["abc", "abca", "a?c?é", ""]))
    assert encoded.lengths.numpy().tolist() == [3, 0, 0, 0]
    assert encoded.counts.numpy().tolist() == [3, 4, 5, 0]
    assert encoded.num_unknown.numpy().tolist() == [0, 0, 2, 0]
    assert encoded.x.shape == (4, 3) and not encoded.x.numpy()[1:].any()


def test_no_text_and_bytes_that_are_none(tmp_path):
    codec = _codec(tmp_path, 9)
    empty = codec.encode(tf.constant([], tf.string))
    assert empty.x.shape == (0, 1) and empty.num_unknown.shape == (0,)
    assert codec.decode(empty.x, empty.lengths).shape == (0,)
    broken, read = codec.encode(tf.constant([b"a\xffb"])), codec.encode(tf.constant(["a\ufffdb"]))
    assert broken.x.numpy().tolist() == read.x.numpy().tolist()


def test_rolls_are_packed_bits():
    rng, codec = np.random.default_rng(0), RollCodec(88, 9)
    rolls = [rng.integers(0, 2, (length, 88)) for length in (9, 1, 4)]
    strings = [np.packbits(roll, axis=1).tobytes() for roll in rolls]
    encoded = codec.encode(tf.constant(strings))
    assert encoded.lengths.numpy().tolist() == [9, 1, 4]
    for roll, x in zip(rolls, encoded.x.numpy(), strict=True):
        assert (x[: len(roll)] == roll).all() and not x[len(roll) :].any()
    assert codec.decode(encoded.x, encoded.lengths).numpy().tolist() == strings
    # What a model draws beyond a length is not written.
    full = codec.decode(tf.ones([1, 3, 88], tf.int32), tf.constant([2])).numpy()
    assert full.tolist() == [b"\xff" * 22]


def test_malformed_and_long_rolls_have_no_length():
    codec = RollCodec(11, 2)
    encoded = codec.encode(tf.constant([b"", b"abc", b"abcdef", b"\x80\x20"]))
    assert encoded.lengths.numpy().tolist() == [0, 0, 0, 1]
    assert encoded.counts.numpy().tolist() == [0, 0, 3, 1]
    assert np.flatnonzero(encoded.x.numpy()[3, 0]).tolist() == [0, 10]
    empty = codec.encode(tf.constant([], tf.string))
    assert empty.x.shape == (0, 1, 11)
    assert codec.decode(empty.x, empty.lengths).shape == (0,)
