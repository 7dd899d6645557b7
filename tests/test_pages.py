"""Saved web pages give the document that was on them."""

import pytest

from qmpcheck.specs.documents.pages import NEW, OLD, plain_text

PLAIN = 'X1\n--\n\nData:\n\n- "a": x (json-int)'


@pytest.mark.parametrize(
    "page",
    [
        PLAIN,
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace(" ", "\u00a0"),
        # A mail that quotes it, also one that quotes a mail.
        "\n".join(f"> {line}".rstrip() for line in PLAIN.split("\n")),
        "\n".join(f">> {line}".rstrip() for line in PLAIN.split("\n")),
        # Indented.
        "\n".join(f"\t{line}".rstrip() for line in PLAIN.split("\n")),
        # A table.
        "\n".join(f"|  | {line} | " for line in PLAIN.split("\n")),
        # Numbered lines without the blank ones, below a page's header.
        'some page\n1 X1\n2 --\n4 Data:\n6 -\u00a0"a":\u00a0x\u00a0(json-int)',
        # Two bars after each line, below a page's header.
        "some page\n3 lines\n" + "\n|\n|\n".join(PLAIN.split("\n")).replace("\n\n", "\n") + "\n|",
    ],
)
def test_presentations(page: str) -> None:
    assert plain_text(page).rstrip() == PLAIN


DIFF = """\
some page
@@ -1,5 +1,6 @@
-7 X_ERROR
+X_CLOSED
---------
+
 Data: None.
-1 OLD
------
+NEW
+---
"""


def test_a_diff_holds_two_documents() -> None:
    # The underline below both first headings is shared; that below OLD is not.
    assert plain_text(DIFF.replace("X_CLOSED", "XX_CLOSED"), OLD).split() == [
        "7", "X_ERROR", "---------", "Data:", "None.", "1", "OLD", "-----",
    ]  # fmt: skip
    assert plain_text(DIFF, NEW).split() == ["X_CLOSED", "---------", "Data:", "None.", "NEW", "---"]
