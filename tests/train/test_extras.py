from __future__ import annotations

import pytest

from train.support import extras
from train.support.errors import UserError


@pytest.mark.parametrize(("name", "package"), [("music", "mido"), ("serving", "grpc")])
def test_missing_package_is_named_with_the_cure(monkeypatch, name, package):
    extras.require_extra(name)
    monkeypatch.setattr(extras, "find_spec", lambda found: None if found == package else found)
    with pytest.raises(UserError, match=rf"installed: {package}; .*pip install '\.\[{name}\]'"):
        extras.require_extra(name)


def test_only_the_packages_that_are_needed_are_asked_for(monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda found: None if found == "mido" else found)
    extras.require_extra("music", "scipy", "matplotlib")
    assert extras.missing_packages("music", "scipy", "mido") == ["mido"]
    with pytest.raises(UserError, match="not installed: mido;"):
        extras.require_extra("music", "mido", "scipy")
    with pytest.raises(ValueError, match=r"packages of the extra music; got \['grpc'\]"):
        extras.require_extra("music", "grpc")
