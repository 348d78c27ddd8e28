"""A run that is finished without being trained."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np

from tests.models import LEAST_FLOW
from tf_latentflow import build_model
from train.engine.workdir import Workdir
from train.runs.saved_model import save_model
from train.runs.testing import split_results
from train.settings.config import TrainConfig
from train.settings.parsing import parse_train_config
from train.support.files import write_json
from train.support.screen import Screen

RUN = ("--preset", "tiny", *LEAST_FLOW, "--max-steps", "2", "--eval-every", "2")
LINES = [f"le café a {i} chats" for i in range(60)]
ABOUT = 'description = "Cats and dogs."\ndata = "made up"\nlicense = "CC0"\nlimits = "No birds."\n'
CARD_FLAGS = ("--commit", "abc123", "--hardware", "a machine")


def finish_a_run(path: Path, kind: type[TrainConfig], dataset: Path) -> None:
    """Leaves what a run leaves, all but its training; a nightly test has that too."""
    config = parse_train_config(kind, [*RUN, "--dataset", str(dataset)])
    corpus = config.load()
    model_config = config.model_config(**corpus.model_fields())
    settings = {**config.run_fields(), "dataset_sha256": corpus.sha256}
    settings["model"] = model_config.to_dict()
    workdir = Workdir(path)
    workdir.claim(settings)
    keras.utils.set_random_seed(0)
    model = build_model(model_config)
    model.length_model.fit(np.array([len(line) for line in corpus.train]))
    save_model(model, workdir)
    test = split_results(model, corpus, corpus.test, config, num_samples=4, screen=Screen())
    train = {"steps": 2, "wall_seconds": 3600.0}
    write_json(workdir.results_file, {"test": test, "train": train, "samples": {}})
    (path / "samples").mkdir()
    (path / "samples.txt").write_text("\n".join(f"chat {i}" for i in range(200)) + "\n")
