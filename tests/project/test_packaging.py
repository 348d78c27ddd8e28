"""What `pip install .` installs."""

import ast

from tests.paths import ROOT
from tf_latentflow.pretrained.names import list_pretrained


def _setup_keywords() -> dict[str, ast.expr]:
    tree = ast.parse((ROOT / "setup.py").read_text(encoding="utf-8"))
    (call,) = (
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "setup"
    )
    return {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}


def test_every_folder_of_modules_is_a_package() -> None:
    for name in ("bijectors", "export", "tf_latentflow", "train"):
        for path in (ROOT / name).rglob("*.py"):
            # A folder that is none would not be installed.
            assert (path.parent / "__init__.py").is_file(), path


def test_pretrained_models_are_installed_whole_and_small() -> None:
    folder = ROOT / "tf_latentflow" / "pretrained"
    patterns = ast.literal_eval(_setup_keywords()["package_data"])["tf_latentflow.pretrained"]
    installed = {path for pattern in patterns for path in folder.glob(pattern) if path.is_file()}
    files = {path for path in (folder / "models").rglob("*") if path.is_file()}
    assert files == installed
    assert sum(path.stat().st_size for path in files) <= 10e6
    for found in list_pretrained():
        card = found.card
        assert card.name == found.folder.name
        assert all((card.data, card.license, card.command, card.commit, card.limits, card.test))
        assert found.weights_url or found.weights()


def test_the_page_is_installed_whole() -> None:
    folder = ROOT / "export" / "page"
    patterns = ast.literal_eval(_setup_keywords()["package_data"])["export.page"]
    installed = {path for pattern in patterns for path in folder.glob(pattern)}
    files = {
        path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in str(path)
    }
    assert installed == {path for path in files if path.suffix != ".py"}
    assert {path.suffix for path in installed} == {".html", ".css", ".js"}


def test_declared_versions() -> None:
    keywords = _setup_keywords()
    assert ast.literal_eval(keywords["name"]) == "tf-latentflow"
    assert ast.literal_eval(keywords["python_requires"]) == ">=3.11,<3.14"


def test_ci_runs_the_readme_commands() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    lines = script.read_text(encoding="utf-8").splitlines()
    assert "pip install '.[test]'" in lines
    assert 'pytest "$@"' in lines


def test_the_libraries_say_that_they_are_typed() -> None:
    data = ast.literal_eval(_setup_keywords()["package_data"])
    for package in ("bijectors", "tf_latentflow"):
        assert (ROOT / package / "py.typed").exists() and "py.typed" in data[package]
