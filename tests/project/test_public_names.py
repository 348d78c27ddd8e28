"""Every public name of the libraries has an example that runs, and a place in the reference."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import re
from types import ModuleType

import pytest

import bijectors
import tf_latentflow
from tests.paths import ROOT


def str_of(value: ModuleType | str) -> str:
    return value if isinstance(value, str) else value.__name__


NAMES = [(package, name) for package in (bijectors, tf_latentflow) for name in package.__all__]


# Constants have no docstring: their example is that of their module, or of what uses them.
TABLES = {"bijectors": "bijectors.tables", "tf_latentflow": "tf_latentflow.config.rows"}


def docstring_of(package: ModuleType, name: str) -> str:
    value = getattr(package, name)
    if name == "Structure":
        return bijectors.Conditioner.__doc__
    if isinstance(value, type) or inspect.isfunction(value):
        return value.__doc__
    return importlib.import_module(TABLES[package.__name__]).__doc__


@pytest.mark.parametrize(("package", "name"), NAMES, ids=str_of)
def test_has_an_example(package: ModuleType, name: str) -> None:
    examples = doctest.DocTestParser().get_examples(docstring_of(package, name))
    sources = [example.source for example in examples]
    assert re.search(rf"\b{name}\b", "".join(sources))


@pytest.mark.parametrize(("package", "name"), NAMES, ids=str_of)
def test_is_in_the_reference(package: ModuleType, name: str) -> None:
    page = (ROOT / "docs" / "api" / f"{package.__name__}.md").read_text(encoding="utf-8")
    assert re.search(rf"^\.\. (auto|py:)\w+:: ([\w.]*\.)?{name}$", page, re.MULTILINE)


@pytest.mark.parametrize("package", [bijectors, tf_latentflow], ids=str_of)
def test_no_name_is_that_of_a_module(package: ModuleType) -> None:
    # Whichever was imported last would hide the other.
    modules = {module.name for module in pkgutil.iter_modules(package.__path__)}
    assert not modules & set(package.__all__)


@pytest.mark.parametrize("package", ["train", "export"])
def test_programs_and_packages_are_in_the_reference(package: str) -> None:
    """Sphinx goes through what is in them by itself."""
    page = (ROOT / "docs" / "api" / f"{package}.md").read_text(encoding="utf-8")
    modules = {info.name for info in pkgutil.iter_modules([str(ROOT / package)])}
    assert modules == set(re.findall(rf"^   {package}\.(\w+)$", page, re.MULTILINE))
