"""The documentation site: `nox -s docs`, or `sphinx-build -W -b html docs docs/_build/html`."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst.states import Inliner
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.domains.python import PyXRefRole
from sphinx.writers.html5 import HTML5Translator

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

project = "tf_latentflow"
author = "the tf_latentflow authors"
html_title = "tf_latentflow"
html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["site.css"]
exclude_patterns = ["_build", "**.ipynb_checkpoints"]
templates_path = ["_templates"]
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
]

# The pages are GitHub's Markdown: its anchors of headings, its formulas between dollars.
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4
html_math_renderer = "mathml"  # Browsers show it without a script from another site.
nb_execution_mode = "off"  # `nox -s notebooks` runs them; the site shows what they printed.
copybutton_prompt_text = ">>> |\\.\\.\\. |\\$ "
copybutton_prompt_is_regexp = True
copybutton_exclude = ".linenos, .gp, .go"

autoclass_content = "both"  # The class, and the arguments of its `__init__`.
autodoc_inherit_docstrings = False
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_default_options = {"members": True, "show-inheritance": True}
autosummary_ignore_module_all = False
napoleon_google_docstring = True
napoleon_use_ivar = True

# A reference that leads nowhere is an error, except to other libraries and to inner parts of the
# public packages, which have no pages.
nitpicky = True
nitpick_ignore_regex = [
    ("py:.*", r"(?!(bijectors|tf_latentflow|train|export)\b).*"),
    ("py:class", r"bijectors\.(cache|checkpoints)\..*"),
    ("py:class", r"tf_latentflow\.(conditional|networks|interfaces|layer)\..*"),
    ("py:obj", r"export|tf_latentflow\.config\.rows"),
]


def links_of_root(app: Sphinx, path: Path, docname: str, content: list[str]) -> None:
    """Makes the links of the pages above this folder, such as the README, lead to its pages."""
    if path.parent != Path(".."):
        return
    others = {"CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
    others["LICENSE"] = "../LICENSE"
    for page, target in others.items():
        content[0] = content[0].replace(f"]({page}", f"]({target}")
    content[0] = content[0].replace("](docs/", "](")


def links_to_root(app: Sphinx, docname: str, content: list[str]) -> None:
    """The same for the pages of this folder that link to those above it."""
    content[0] = content[0].replace("](../CONTRIBUTING.md", "](contributing.md")


def skip_of_keras(
    app: Sphinx, what: str, name: str, obj: object, skip: bool, options: object
) -> bool | None:
    """Of the methods that a model inherits, its own are shown, and not Keras' or TFP's."""
    own = ("bijectors", "tf_latentflow", "train", "export")
    obj = getattr(obj, "fget", obj)  # Of a property.
    module = getattr(obj, "__module__", None) or own[0]
    return None if module.split(".")[0] in own else True


def code_role(
    name: str, rawtext: str, text: str, lineno: int, inliner: Inliner, *args: object
) -> tuple[list[nodes.Node], list[nodes.system_message]]:
    """What stands between backticks: a link if it is a name of this project, otherwise code."""
    if re.fullmatch(r"[A-Za-z_]\w*(\.\w+)*", text):
        return PyXRefRole()("py:obj", f":py:obj:`{text}`", text, lineno, inliner)
    return [nodes.literal(rawtext, text)], []


def formulas_as_code(
    app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    """An indented block of a docstring that belongs to no section is a formula: shown as it is."""
    shown: list[str] = []
    for i, line in enumerate(lines):
        starts = line.startswith("    ") and i and not lines[i - 1].strip()
        before = next((x for x in reversed(lines[:i]) if x.strip()), "")
        if starts and not before.startswith(" ") and not before.endswith("::"):
            shown += ["::", ""]
        shown.append(line)
    lines[:] = shown


def show_inline_formula(translator: HTML5Translator, node: nodes.math) -> None:
    """Writes a formula within a line as MathML."""
    translator.body.append(tex2mathml(node.astext()))
    raise nodes.SkipNode


def show_formula(translator: HTML5Translator, node: nodes.math_block) -> None:
    """Writes a formula on lines of its own as MathML."""
    formula = tex2mathml(node.astext(), as_block=True)
    translator.body.append(f'<div class="math">{formula}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    """Connects the functions above."""
    from docutils.parsers.rst import roles

    roles.register_local_role("code-or-name", code_role)
    app.add_html_math_renderer("mathml", (show_inline_formula, None), (show_formula, None))
    app.connect("include-read", links_of_root)
    app.connect("source-read", links_to_root)
    app.connect("autodoc-skip-member", skip_of_keras)
    # Before napoleon, which indents the sections.
    app.connect("autodoc-process-docstring", formulas_as_code, priority=400)


default_role = "code-or-name"
