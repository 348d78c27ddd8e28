"""Trains a model of text and tests it: `python -m train.char_lm [--model af-af] [--dataset ptb]`.

Without a flag: the latent flow `af-af` at preset `small`, on the language reference that every
Python carries, in about ten minutes on two CPU cores. The same command again goes on with a run
that was stopped, or prints the numbers of a finished one. `--help` lists the flags; then

    tensorboard --logdir WORKDIR
    python -m train.evaluate WORKDIR --split test --samples 50
    python -m train.sample WORKDIR -n 10 --length 80 --temperature 0.8 --seed 0
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from train.config import NAMED_DATASETS, TrainConfig
from train.errors import UserError, run_program
from train.files import read_json, replace_file, write_json, write_text
from train.flags import parse_train_config
from train.quiet import import_tensorflow_quietly
from train.results import results_table
from train.text.corpus import Corpus, load_corpus
from train.workdir import Workdir

__all__ = ["main"]

MAX_LENGTH = 288  # Characters of a sentence, as in section 6.1 of the paper.
_NUM_SAMPLES = 200
_NUM_SHOWN = 10


def main(args: Sequence[str] | None = None) -> None:
    """Runs the program.

    Args:
      args: Flags, or None for those of the process.

    Raises:
      UserError: If the input is bad.
      SystemExit: With status 1 if the training went non-finite, as `parse_train_config` otherwise.
    """
    # What needs no TensorFlow comes first, so that bad input is refused at once.
    config = parse_train_config("python -m train.char_lm", args)
    workdir = Workdir(config.run_directory)
    settings = {"train": config.to_dict()}
    workdir.check(settings)

    dataset = settings["train"]["dataset"]
    corpus = load_corpus(
        config.dataset if config.dataset in NAMED_DATASETS else dataset, config.data_dir, MAX_LENGTH
    )
    settings["dataset_sha256"] = corpus.sha256
    workdir.check(settings)
    if workdir.results_file.exists():
        print("this run has finished:")
    else:
        print(_describe(corpus))
        _train(config, settings, corpus, workdir)
    _print_results(workdir)


def _describe(corpus: Corpus) -> str:
    """Returns what a dataset holds, in one line."""
    sizes = ", ".join(
        f"{name} {len(texts)} sentences ({sum(map(len, texts))} characters)"
        for name, texts in (("train", corpus.train), ("valid", corpus.valid), ("test", corpus.test))
    )
    filtered = sum(corpus.num_filtered.values())
    note = f"; {filtered} over {MAX_LENGTH} characters left out" if filtered else ""
    return f"dataset {corpus.name}: {sizes}{note}"


def _train(config: TrainConfig, settings: dict[str, Any], corpus: Corpus, workdir: Workdir) -> None:
    """Trains, tests, and writes what a finished run leaves."""
    import_tensorflow_quietly()
    from tf_latentflow import ModelConfig, build_model
    from tf_latentflow.vocabulary import Vocabulary
    from train.checkpoints import weights_sha256
    from train.loop import Trainer
    from train.metrics import BITS_PER_CHARACTER, evaluate_split
    from train.progress import show_split_progress
    from train.run_state import NonFiniteError
    from train.text.samples import draw_samples, encode_all, share_of_known_words, text_show

    vocabulary = Vocabulary.from_texts(corpus.train)
    try:
        model_config = ModelConfig.from_name(
            config.model,
            preset=config.preset,
            vocab_size=vocabulary.size,
            max_length=MAX_LENGTH,
            vocabulary=tuple(vocabulary.characters),
        )
    except ValueError as error:
        raise UserError(f"--model: {error}") from None
    settings["model"] = model_config.to_dict()
    workdir.claim(settings)
    valid = encode_all(corpus.valid, vocabulary)
    trainer = Trainer(
        config,
        lambda: build_model(model_config),
        encode_all(corpus.train, vocabulary),
        valid,
        workdir,
        BITS_PER_CHARACTER,
        has_latents=model_config.is_flow,
        report=_report,
        show=text_show(valid, vocabulary, config.seed),
    )
    try:
        summary = trainer.run()
    except NonFiniteError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    model = trainer.model
    temporary = workdir.path / ".tmp.model.keras"
    model.save(temporary)
    replace_file(temporary, workdir.model_file)

    test = encode_all(corpus.test, vocabulary)
    _report(f"testing on {len(test)} sentences with {config.test_samples} samples each")
    results = evaluate_split(
        model,
        test,
        BITS_PER_CHARACTER,
        has_latents=model_config.is_flow,
        num_samples=config.test_samples,
        seed=config.seed,
        batch_size=config.batch_size,
        progress=show_split_progress(),
    )
    results["num_unknown"] = sum(vocabulary.count_unknown(x) for x in test)
    samples = draw_samples(model, vocabulary, _NUM_SAMPLES, seed=config.seed)
    write_text(workdir.samples_file, "\n".join(samples) + "\n")
    write_json(
        workdir.results_file,
        {
            "model": config.model,
            "dataset": settings["train"]["dataset"],
            "dataset_sha256": corpus.sha256,
            "preset": config.preset,
            "seed": config.seed,
            "test": results,
            "train": {
                "epochs": summary.epochs,
                "steps": summary.steps,
                "wall_seconds": summary.wall_seconds,
                "resumed_from_steps": summary.resumed_from_steps,
                "weights_sha256": weights_sha256(model),
            },
            "samples": {"share_of_known_words": share_of_known_words(samples, corpus.train)},
        },
    )


def _print_results(workdir: Workdir) -> None:
    """Prints the test table, ten samples, and where the run lies."""
    results = read_json(workdir.results_file)
    print()
    print(results_table("test", results["test"]))
    share = results["samples"]["share_of_known_words"]
    print(f"{'known words':<20}{share:>18.3f}  of the words in {_NUM_SAMPLES} samples")
    print(f"\n{_NUM_SHOWN} samples:")
    for sample in workdir.samples_file.read_text(encoding="utf-8").split("\n")[:_NUM_SHOWN]:
        print(f"  {sample}")
    print(f"\nthe run lies in {workdir.path}")


def _report(line: str) -> None:
    """Prints a line at once, also into a file or a pipe."""
    print(line, flush=True)


if __name__ == "__main__":
    run_program(main)
