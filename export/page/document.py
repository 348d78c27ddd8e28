"""The page as one HTML file, which needs nothing beside it, and what it may do."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from pathlib import Path
from typing import NamedTuple

__all__ = ["Document", "page_for"]

_FOLDER = Path(__file__).parent
_STYLE = re.compile(r'<link rel="stylesheet" href="([^"]+)">')
_SCRIPT = re.compile(r'<script src="([^"]+)"></script>')
_MODEL = '<meta name="model" content="">'
_CHARSET = '<meta charset="utf-8">'


class Document(NamedTuple):
    """The page.

    Attributes:
      html: Its bytes, in UTF-8.
      policy: A Content-Security-Policy, of a server that sends it, by which it asks that server
        alone. The page itself states a weaker one, for when it is opened as a file.
    """

    html: bytes
    policy: str


def page_for(model: str) -> Document:
    """Returns the page that asks a model.

    Args:
      model: Its URL, `http://HOST:PORT/v1/models/NAME`, or one relative to that of the page, which
        then does not ask for another. Opened as a file, the page lets its user name the model.
    """
    page = (_FOLDER / "index.html").read_text(encoding="utf-8")
    digests: dict[str, list[str]] = {"style": [], "script": []}

    def inlined(tag: str, match: re.Match[str]) -> str:
        content = "\n" + (_FOLDER / match[1]).read_text(encoding="utf-8")
        if f"</{tag}" in content.lower():
            raise ValueError(f"expected no </{tag} in {match[1]}, which would end it there")
        digest = hashlib.sha256(content.encode("utf-8")).digest()
        digests[tag].append(f"'sha256-{base64.b64encode(digest).decode('ascii')}'")
        return f"<{tag}>{content}</{tag}>"

    page = _STYLE.sub(lambda match: inlined("style", match), page)
    page = _SCRIPT.sub(lambda match: inlined("script", match), page)
    rules = (
        "default-src 'none'",
        f"script-src {' '.join(digests['script'])}",
        f"style-src {' '.join(digests['style'])}",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    )
    own = "; ".join((*rules, "connect-src http: https:"))
    meta = f'{_CHARSET}\n<meta http-equiv="Content-Security-Policy" content="{own}">'
    page = page.replace(_CHARSET, meta, 1)
    named = f'<meta name="model" content="{html.escape(model)}">'
    page = page.replace(_MODEL, named, 1)
    return Document(
        page.encode("utf-8"), "; ".join((*rules, "connect-src 'self'", "frame-ancestors 'none'"))
    )
