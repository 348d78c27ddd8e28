"""Nox sessions: tests on each Python and by night, oldest versions, coverage, linters, the site."""

from __future__ import annotations

import nox

nox.options.sessions = ["tests", "lint"]
nox.options.default_venv_backend = "venv"
# What runs a bundle; a newcomer's tests go without its 350 MB.
JAX = "jax>=0.7,<1"
PYTHONS = ["3.11", "3.12", "3.13"]


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """The README's test command."""
    session.install(".[test]")
    session.run("pytest", *session.posargs)


@nox.session(python="3.11", venv_backend="uv")
def oldest(session: nox.Session) -> None:
    """The tests with the oldest versions of the declared ranges."""
    session.install("--resolution", "lowest-direct", ".[test]")
    session.run("pytest", *session.posargs)


@nox.session(python="3.11")
def nightly(session: nox.Session) -> None:
    """The tests that `pytest` leaves out because they take minutes."""
    session.install(".[test,notebooks]", JAX)
    session.run("pytest", "-m", "nightly", *session.posargs)


@nox.session(python="3.11")
def coverage(session: nox.Session) -> None:
    """The share of the lines and branches that the README's test command runs."""
    session.install(".[test]", "pytest-cov>=7,<8")
    session.run("pytest", "--cov", "--cov-report=term", *session.posargs)


@nox.session(python="3.11")
def lint(session: nox.Session) -> None:
    """Style, and which packages may import which."""
    session.install("ruff>=0.12", "import-linter>=2.10,<3", "lazy_loader")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports")


@nox.session(python="3.11")
def types(session: nox.Session) -> None:
    """The types of the two libraries."""
    session.install(".", "mypy>=1.18,<3")  # Also a test: tests/project/test_types.py.
    session.run("mypy")


@nox.session(python="3.11")
def docs(session: nox.Session) -> None:
    """The documentation site, in docs/_build/html; a warning is an error."""
    session.install(".[docs,music,serving]", JAX)
    session.run("sphinx-build", "-W", "--keep-going", "-b", "html", "docs", "docs/_build/html")


@nox.session(python="3.11")
def notebooks(session: nox.Session) -> None:
    """Runs the notebooks; `nox -s notebooks -- --overwrite` also stores what they print."""
    session.install(".[test,notebooks]")
    session.run("python", "-m", "tests.notebooks", *session.posargs)
