"""A real browser, for the tests that are marked with `browser`."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


def launched() -> Iterator[Any]:
    """A Chromium; where there is none, or nothing that drives it, the test is skipped."""
    driver = pytest.importorskip(
        "playwright.sync_api", reason="Playwright is not installed (--group browser)"
    )
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not path:
        pytest.skip("no Chromium on PATH")
    with driver.sync_playwright() as playwright:
        # a container lets a browser make no sandbox; the pages are our own
        options = ["--no-sandbox"] if os.geteuid() == 0 else []
        chromium = playwright.chromium.launch(executable_path=path, args=options)
        yield chromium
        chromium.close()


@contextmanager
def opened(browser: Any, path: Path, address: str = "", **options: Any) -> Iterator[Any]:
    """A page in a window of its own, ready.

    When it is closed, nothing may have been written to the console, no error have gone unnoticed, nothing have been
    asked for but the file, and nothing be wider than the window.
    """
    options.setdefault("viewport", DESKTOP)
    context = browser.new_context(**options)
    page, noise = context.new_page(), []
    page.on("console", lambda message: noise.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: noise.append(f"error: {error}"))
    page.on("dialog", lambda dialog: noise.append(f"dialog: {dialog.message}"))
    page.on("request", lambda request: noise.append(f"request: {request.url[:200]}"))
    page.goto(f"{path.as_uri()}{address}")
    if options.get("java_script_enabled", True):
        page.wait_for_selector("body[data-ready]", timeout=30_000)
    yield page
    if options.get("java_script_enabled", True):
        assert page.evaluate("document.documentElement.scrollWidth") <= options["viewport"]["width"]
        assert page.evaluate("window.pwned === undefined")
    context.close()
    own = ("request: file:", "request: data:,")
    assert [each for each in noise if not each.startswith(own)] == []
    assert len([each for each in noise if each.startswith(own[0])]) == 1
