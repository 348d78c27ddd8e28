"""Texts and piano rolls as inputs and outputs of a model, instead of ids."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tf_latentflow.config.model_config import ModelConfig
from tf_latentflow.interfaces.batches import batches, draw_sequences
from tf_latentflow.noise import seed_of
from tf_latentflow.pretrained.card import Card
from tf_latentflow.pretrained.folder import Pretrained, write_folder
from tf_latentflow.vocabulary import Vocabulary

__all__ = ["DataInterface"]


class DataInterface:
    """Methods of a model that take and return strings or piano rolls.

    A text is a string of 1 to `max_length` characters; the model must have a vocabulary. A roll is
    an array `[T, V]` of 0 and 1 with 1 to `max_length` steps and V notes. A seed is a whole number:
    the same seed gives the same result, and None a new one at every call. Sequences of similar
    length are batched, which does not affect the results.

    Attributes:
      pretrained: Where a pretrained model comes from; None for other models.
    """

    pretrained: Pretrained | None = None

    # Of the model that this is a base of.
    config: ModelConfig
    variables: Any
    log_likelihood: Callable[..., Any]
    reconstruct: Callable[..., Any]

    @property
    def card(self) -> Card | None:
        """The card of a pretrained model; None for other models."""
        return None if self.pretrained is None else self.pretrained.card

    def save_pretrained(
        self,
        folder: str | Path,
        card: Card | None = None,
        dtype: str = "float32",
        run: Mapping[str, Any] | None = None,
        weights_url: str | None = None,
    ) -> None:
        """Writes the model as a folder that `from_pretrained` reads.

        Args:
          folder: The folder; missing parents are created.
          card: Description of the model. None: its own card, or one with the folder's name.
          dtype: Of the weights in the file: `float32`, or `float16` for half the size.
          run: How it was trained; see `Pretrained`. None: what the model came with.
          weights_url: Where the weights can also be downloaded.

        Raises:
          ValueError: The dtype is another one, or float16 cannot hold the weights.
        """
        folder = Path(folder)
        card = card or self.card or Card(name=folder.resolve().name)
        arrays = [(variable.path, variable.numpy()) for variable in self.variables]
        if run is None and self.pretrained is not None:
            run = self.pretrained.run
        write_folder(folder, self.config, arrays, card, run, dtype, weights_url)

    def log_prob(
        self,
        sequences: Sequence[str] | Sequence[np.ndarray],
        num_samples: int = 50,
        seed: int | None = None,
    ) -> np.ndarray:
        """`log p(x, T) = log p(x | T) + log p(T)` of texts or rolls, estimated or exact.

        A character outside the vocabulary counts as the unknown symbol.

        Args:
          sequences: Texts or rolls.
          num_samples: K of the importance-sampling estimate; see `SequenceModel.estimate`.
          seed: See the class.

        Returns:
          Nats, float32 `[N]`.

        Raises:
          ValueError: A sequence is empty, too long, or not a text or roll of this model.
        """
        encoded = self._encode(sequences)
        log_prob = np.zeros([len(encoded)], np.float32)
        for indices, x, lengths, noise in batches(encoded, seed_of(seed)):
            log_prob[indices] = self.log_likelihood(x, lengths, num_samples, noise).numpy()
        return log_prob

    def sample_texts(
        self,
        n: int,
        temperature: float = 1.0,
        seed: int | None = None,
        lengths: int | Sequence[int] | None = None,
    ) -> list[str]:
        """Draws texts. The unknown symbol and padding appear as U+FFFD.

        Args:
          n: Number of texts.
          temperature: See `SequenceModel.sample`.
          seed: See the class.
          lengths: Number of characters, of all or of each; None draws it from p(T).

        Raises:
          ValueError: This is not a model of text, or a length is out of range.
        """
        self._vocabulary()  # Refuses a model of music.
        drawn = draw_sequences(self, n, seed=seed, temperature=temperature, length=lengths)
        return [self._text(ids) for ids in drawn]

    def sample_rolls(
        self,
        n: int,
        temperature: float = 1.0,
        seed: int | None = None,
        lengths: int | Sequence[int] | None = None,
    ) -> list[np.ndarray]:
        """Draws piano rolls, uint8 `[T, V]`; arguments as for `sample_texts`.

        Raises:
          ValueError: This is not a model of music, or a length is out of range.
        """
        self._check_music()
        drawn = draw_sequences(self, n, seed=seed, temperature=temperature, length=lengths)
        return [roll.astype(np.uint8) for roll in drawn]

    def reconstruct_texts(self, texts: Sequence[str], seed: int | None = None) -> list[str]:
        """The most likely texts at a sample `z ~ q(z | x, T)` of each text.

        Raises:
          ValueError: As for `log_prob`, or the model has no latents.
        """
        self._vocabulary()
        return [self._text(ids) for ids in self._reconstructed(texts, seed)]

    def reconstruct_rolls(
        self, rolls: Sequence[np.ndarray], seed: int | None = None
    ) -> list[np.ndarray]:
        """The most likely rolls, uint8 `[T, V]`, at a sample `z ~ q(z | x, T)` of each roll.

        Raises:
          ValueError: As for `log_prob`, or the model has no latents.
        """
        self._check_music()
        return [roll.astype(np.uint8) for roll in self._reconstructed(rolls, seed)]

    def _reconstructed(self, sequences: Sequence[Any], seed: int | None) -> list[np.ndarray]:
        self._check_latents("reconstruct")
        encoded = self._encode(sequences)
        found = list(encoded)
        for indices, x, lengths, noise in batches(encoded, seed_of(seed)):
            again = self.reconstruct(x, lengths, noise).numpy()
            for index, row, length in zip(indices, again, lengths, strict=True):
                found[index] = row[:length]
        return found

    def _encode(self, sequences: Sequence[Any]) -> list[np.ndarray]:
        """Texts as ids `[T]`, and rolls as uint8 `[T, V]`."""
        if isinstance(sequences, (str, bytes)):
            raise ValueError("expected a list of texts; got one text: put it in brackets")
        encode = self._encode_text if self.config.is_text else self._encode_roll
        encoded = [encode(sequence, i) for i, sequence in enumerate(sequences)]
        for i, x in enumerate(encoded):
            if not 1 <= len(x) <= self.config.max_length:
                raise ValueError(
                    f"expected sequences of 1 to {self.config.max_length} steps; got {len(x)} in "
                    f"number {i}"
                )
        return encoded

    def _encode_text(self, text: Any, i: int) -> np.ndarray:
        if not isinstance(text, str):
            raise ValueError(
                f"expected texts; got {type(text).__name__} as number {i}: ids belong to a method "
                "of x and lengths, such as log_likelihood"
            )
        return self._vocabulary().encode(text)

    def _encode_roll(self, roll: Any, i: int) -> np.ndarray:
        notes = self.config.vocab_size
        if isinstance(roll, str):
            raise ValueError(f"expected piano rolls; got a text as number {i}")
        array = np.asarray(roll)
        if array.ndim != 2 or array.shape[1] != notes:
            raise ValueError(
                f"expected piano rolls [T, {notes}]; got the shape {list(array.shape)} of number "
                f"{i}"
            )
        if not np.isin(array, (0, 1)).all():
            raise ValueError(f"expected piano rolls of 0 and 1; got other values in number {i}")
        return array.astype(np.uint8)

    def _text(self, ids: np.ndarray) -> str:
        return self._vocabulary().decode_drawn(ids)

    def _vocabulary(self) -> Vocabulary:
        if not self.config.is_text:
            raise ValueError("expected a model of text; got one of music: use its rolls")
        if self.config.vocabulary is None:
            raise ValueError(
                "expected a model that knows its vocabulary; got one without: give its ModelConfig "
                "the vocabulary"
            )
        return self._known_vocabulary

    @functools.cached_property
    def _known_vocabulary(self) -> Vocabulary:
        return Vocabulary(self.config.vocabulary)

    def _check_music(self) -> None:
        if self.config.is_text:
            raise ValueError("expected a model of music; got one of text: use its texts")

    def _check_latents(self, way: str) -> None:
        if not self.config.is_flow:
            raise ValueError(f"expected a latent flow; got the baseline, which cannot {way}")
