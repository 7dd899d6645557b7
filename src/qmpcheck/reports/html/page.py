"""From values to one HTML file that needs nothing else.

Text reaches a page in three ways only: through Jinja2, which escapes it; as JSON in which no tag can begin;
and as base64. Before that, `text.safe` turns what does not print into escapes. The page's own policy allows
its one script and its one style element and nothing more: no request leaves it.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

import qmpcheck
from qmpcheck.text import safe
from qmpcheck.wording import plural

FOLDER = Path(__file__).parent


def render(template: str, scripts: Sequence[str], data: object = None, **values: Any) -> str:
    """A page.

    Args:
        template: its name.
        scripts: names of the scripts that it is read with, which become one.
        data: what the scripts read, as a value for JSON.
        values: what the template shows.
    """
    style, script = _file("page.css"), "".join(["'use strict';\n", *map(_file, scripts)])
    return (
        _environment()
        .get_template(template)
        .render(
            **values,
            policy=_policy(script, style),
            style=Markup(style),  # noqa: S704 -- a file of ours
            script=Markup(script),  # noqa: S704 -- files of ours
            data=_json(data),
            version=qmpcheck.__version__,
        )
    )


def _file(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def _policy(script: str, style: str) -> str:
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src '{_digest(script)}'",
            f"style-src '{_digest(style)}'",
            "img-src data:",  # the empty icon, without which a browser asks the server for one
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _json(data: object) -> Markup:
    """JSON in which nothing is a tag, an entity or a comment, wherever in a page it is."""
    text = json.dumps(data, separators=(",", ":"))
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)  # noqa: S704 -- no sign of markup is left


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        # a mistyped name is an error, and no empty place
        undefined=StrictUndefined,
        finalize=_finished,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(plural=_counted, number="{:,}".format, whole=whole)
    return environment


def _counted(number: int, noun: str) -> str:
    """`12,345 events`."""
    return plural(number, noun).replace(str(number), f"{number:,}", 1)


_SHORT = 24
"""Characters of a word that is not broken; even on a phone it fits into a line."""

_BREAKABLE = re.compile(r"-|\w[._:]+\w")
"""In a word, where a browser would break it, or lets a table squeeze it."""


def whole(text: str) -> Markup:
    """A text whose lines break between words and after slashes, but not inside of a date or an option.

    Long words, which may come from anywhere, still break where they must.
    """
    parts = re.findall(r"[^\s/]*/|[^\s/]+|\s+", safe(text))
    return Markup().join(map(_part, parts))


def _part(part: str) -> Markup:
    end = Markup("<wbr>") if part.endswith("/") else Markup()
    if len(part) > _SHORT or not _BREAKABLE.search(part):
        return escape(part) + end
    return Markup('<span class="whole">{}</span>').format(part) + end


def _finished(value: object) -> object:
    """What a template writes: text from anywhere, made safe; what is markup already is left."""
    return safe(value) if isinstance(value, str) and not isinstance(value, Markup) else value
