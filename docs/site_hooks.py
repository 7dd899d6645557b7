"""What the site needs beside docs/: pages from elsewhere in the repository, and links that lead to them."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]

ELSEWHERE = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "clients/README.md": "clients.md",
    "reports/benchmark.md": "reports/benchmark.md",
    "reports/drift.md": "reports/drift.md",
    "reports/drift.svg": "reports/drift.svg",
    "reports/scale.md": "reports/scale.md",
    "reports/text-and-schema.md": "reports/text-and-schema.md",
}
"""Files of the repository that are pages, or pictures, of the site."""

_HOME = {page: source for source, page in ELSEWHERE.items()}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages from elsewhere."""
    for source, page in ELSEWHERE.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_bytes()))
    return files


_LINK = re.compile(r"(!?)\[((?:[^\[\]]|!\[[^\]]*\]\([^)]*\))*)\]\(([^)\s:#]+)(#[\w-]+)?\)")


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Lead links to the pages of the site; a link to another file of the repository becomes plain text."""
    here = page.file.src_uri
    folder = posixpath.dirname(_HOME.get(here, f"docs/{here}"))

    def link(match: re.Match[str]) -> str:
        mark, text, target, anchor = match.groups("")
        text = _LINK.sub(link, text)
        path = posixpath.normpath(posixpath.join(folder, target))
        if path not in ELSEWHERE and not (path.startswith("docs/") and path.endswith(".md")):
            return text
        there = ELSEWHERE.get(path) or path.removeprefix("docs/")
        return f"{mark}[{text}]({posixpath.relpath(there, posixpath.dirname(here) or '.')}{anchor})"

    return _LINK.sub(link, markdown)
