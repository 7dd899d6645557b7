"""JSON as QEMU reads and writes it: any layout, single quotes, its own errors and its own escapes.

QEMU reads no lines: it takes tokens as they come, and looks at a message when its brackets are closed. After
an error it goes on at the next bracket or line end. A client that sends something wrong is answered here as
QEMU 7.2 answers it, word for word.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

MOST_BYTES, MOST_TOKENS, DEEPEST = 1 << 20, 1 << 16, 128
"""What one message may have. QEMU takes more (64 MiB, 2 Mi and 1024), but it serves one client at a time."""


class BadInput(Exception):
    """Input that is not JSON; the text is what QEMU answers."""


class _Token(NamedTuple):
    kind: str
    text: bytes


_ERROR = "error"
_SIZE, _COUNT, _DEPTH = (
    f"JSON {what} limit exceeded" for what in ("token size", "token count", "nesting depth")
)


class QemuJsonReader:
    """Reads what a client sends, however it is cut into chunks. It keeps `MOST_BYTES` of it at most."""

    def __init__(self) -> None:
        self._lexer = _Lexer()
        self._tokens: list[_Token] = []
        self._size = self._braces = self._brackets = 0

    def feed(self, chunk: bytes) -> Iterator[Any]:
        """Yield the values that end in this chunk, and a `BadInput` for each error, in their order."""
        for token in self._lexer.feed(chunk):
            yield from self._values(token)

    def _values(self, token: _Token) -> Iterator[Any]:
        """Yield the value, or the error, that ends with a token, if there is one."""
        try:
            tokens = self._with(token)
            if tokens:
                yield _QemuJsonParser(tokens).value()
        except BadInput as error:
            yield error

    def _with(self, token: _Token) -> list[_Token]:
        """Add a token; if the message ends with it, return the tokens of the message, otherwise none.

        Raises:
            BadInput: the token is invalid, or the message is too large. The message is dropped then.
        """
        self._braces += _STEPS_OF_BRACES.get(token.kind, 0)
        self._brackets += _STEPS_OF_BRACKETS.get(token.kind, 0)
        self._size += len(token.text)
        self._tokens.append(token)
        if problem := self._problem(token):
            self._take()
            raise BadInput(problem)
        # A message goes on while a bracket is open, and none too many was closed.
        is_open = min(self._braces, self._brackets) >= 0 < max(self._braces, self._brackets)
        return [] if is_open else self._take()

    def _problem(self, token: _Token) -> str:
        if token.kind == _ERROR:
            # In QEMU the text is a C string, which a null byte ends.
            stray = token.text.split(b"\0")[0].decode(errors="replace")
            return _SIZE if len(token.text) > MOST_BYTES else f"JSON parse error, stray '{stray}'"
        if self._size > MOST_BYTES:
            return _SIZE
        if len(self._tokens) > MOST_TOKENS:
            return _COUNT
        return _DEPTH if self._braces + self._brackets > DEEPEST else ""

    def _take(self) -> list[_Token]:
        tokens, self._tokens = self._tokens, []
        self._size = self._braces = self._brackets = 0
        return tokens


_STEPS_OF_BRACES, _STEPS_OF_BRACKETS = {"{": 1, "}": -1}, {"[": 1, "]": -1}


# QEMU's lexer leaves UTF-8 to the parser, but for two bytes that it never has.
_BODIES = {
    quote: re.compile(rb"(?:[^%b\\\x00-\x1f\xfe\xff]+|\\[\x20-\xfd])*" % quote) for quote in (b'"', b"'")
}
"""What is in a string, by the quote around it."""

_INTEGER, _EXPONENT = rb"-?(?:0|[1-9][0-9]*)", rb"[eE][+-]?"
_TOKEN = re.compile(
    rb"(?P<mark>[{}\[\],:])|(?P<number>%b(?:\.[0-9]+)?(?:%b[0-9]+)?)|(?P<keyword>[a-z]+)"
    % (_INTEGER, _EXPONENT)
)
_BEGUN = re.compile(
    rb"%b(?:\.(?:[0-9]+(?:%b[0-9]*)?)?|%b[0-9]*)?|-|[a-z]*" % (_INTEGER, _EXPONENT, _EXPONENT)
)
"""As much of the input as can be the beginning of a number or a keyword."""

_BLANK = re.compile(rb"[ \t\r\n]*")
_RECOVERY = re.compile(rb"[^\x00-\x1f{}\[\],:\xfe\xff]*")


class _Lexer:
    """Cuts bytes into tokens."""

    def __init__(self) -> None:
        self._text = bytearray()  # from the beginning of a token on
        self._is_recovering = False
        self._at = 1
        """Up to where a string was read: however it comes, the time stays linear."""

    def feed(self, chunk: bytes) -> Iterator[_Token]:
        self._text += chunk
        while token := self._next():
            yield token

    def _next(self) -> _Token | None:
        """Take the next token, or an error, off the text; return None if it may go on in the next chunk."""
        if self._is_recovering:
            self._cut(_end(_RECOVERY, self._text))
            self._is_recovering = not self._text
        self._cut(_end(_BLANK, self._text))
        if body := _BODIES.get(bytes(self._text[:1])):
            self._at = end = _end(body, self._text, self._at)
            if self._text[end : end + 1] == self._text[:1]:
                return _Token("string", self._cut(end + 1))
            begun = end + self._text.startswith(b"\\", end)  # a cut escape is read again
        else:
            begun, whole = _end(_BEGUN, self._text), _TOKEN.match(self._text)
            kind = whole.lastgroup if whole else None
            if kind == "mark":
                return _Token(chr(self._text[0]), self._cut(1))
            is_whole = whole is not None and whole.end() == begun < len(self._text)
            # After 0, the only number that ends before a digit, no digit may follow.
            if kind and is_whole and not (kind == "number" and self._text[begun : begun + 1].isdigit()):
                return _Token(kind, self._cut(begun))
        if begun == len(self._text) <= MOST_BYTES:
            return None
        # What has begun, with the byte that cannot follow.
        self._is_recovering = True
        return _Token(_ERROR, self._cut(begun + 1))

    def _cut(self, end: int) -> bytes:
        taken = bytes(self._text[:end])
        if end:
            del self._text[:end]
            self._at = 1
        return taken


def _end(pattern: re.Pattern[bytes], text: bytearray, at: int = 0) -> int:
    """Where a match from some place on ends; that place if there is none."""
    match = pattern.match(text, at)
    return match.end() if match else at


class _QemuJsonParser:
    """Reads the tokens of one message."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens, self._next = tokens, 0

    def value(self) -> Any:
        """Return the next value.

        Raises:
            BadInput: the tokens are not valid JSON.
        """
        token = self._token()
        match token.kind:
            case "{":
                return self._object()
            case "[":
                return self._array()
            case "string":
                return _string(token.text)
            case "number":
                return _number(token.text)
            case "keyword":
                if token.text not in _KEYWORDS:
                    raise _wrong(f"invalid keyword '{token.text.decode()}'")
                return _KEYWORDS[token.text]
        raise _wrong("expecting value")

    def _token(self) -> _Token:
        self._next += 1
        return self._tokens[self._next - 1]

    def _peek(self, kind: str) -> bool:
        """Take the next token if it is of a kind; return whether it is."""
        is_next = self._tokens[self._next].kind == kind
        self._next += is_next
        return is_next

    def _object(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if self._peek("}"):
            return found
        while True:
            key = self.value()
            if not isinstance(key, str):
                raise _wrong("key is not a string in object")
            if not self._peek(":"):
                raise _wrong("missing : in object pair")
            value = self.value()
            if key in found:
                raise _wrong("duplicate key")
            found[key] = value
            if self._peek("}"):
                return found
            if not self._peek(","):
                raise _wrong("expected separator in dict")

    def _array(self) -> list[Any]:
        found: list[Any] = []
        if self._peek("]"):
            return found
        while True:
            found.append(self.value())
            if self._peek("]"):
                return found
            if not self._peek(","):
                raise _wrong("expected separator in list")


def _wrong(reason: str) -> BadInput:
    return BadInput(f"JSON parse error, {reason}")


_KEYWORDS = {b"true": True, b"false": False, b"null": None}
_LEAST, _GREATEST = -(1 << 63), (1 << 64) - 1


def _number(text: bytes) -> int | float:
    """Return a number: an integer if it fits into 64 bits, signed or not, and otherwise a fraction."""
    if not text.lstrip(b"-").isdigit() or len(text) > len(str(_LEAST)):
        return float(text)
    value = int(text)
    return value if _LEAST <= value <= _GREATEST else float(value)


_ESCAPE = re.compile(
    rb"\\u([dD][89abAB][0-9a-fA-F]{2})\\u(.{0,4})|\\u(.{0,4})|\\(.)", re.DOTALL
)  # a pair of surrogates, a code point, or a letter
_LETTERS = {b"b": "\b", b"f": "\f", b"n": "\n", b"r": "\r", b"t": "\t"} | {
    each.encode(): each for each in "\\/\"'"
}


def _string(token: bytes) -> str:
    """Return the string in a token with quotes.

    Raises:
        BadInput: it is not valid; the text is QEMU's.
    """
    parts: list[str] = []
    at, end = 1, len(token) - 1
    while match := _ESCAPE.search(token, at, end):
        parts += [_plain(token[at : match.start()]), _escaped(token, match)]
        at = match.end()
    return "".join([*parts, _plain(token[at:end])])


def _plain(text: bytes) -> str:
    try:
        plain = text.decode()
    except UnicodeDecodeError:
        plain = _LAST_OF_PLANES
    if _NO_CHARACTER.search(plain):
        raise _wrong("invalid UTF-8 sequence in string")
    return plain


# Code points that QEMU refuses: surrogates, and those that Unicode never assigns.
_LAST_OF_PLANES = "".join(chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF))
_NO_CHARACTER = re.compile(f"[\ud800-\udfff\ufdd0-\ufdef{_LAST_OF_PLANES}]")


def _escaped(token: bytes, match: re.Match[bytes]) -> str:
    """Return the character that an escape stands for."""
    lead, trail, single, letter = match.groups()
    if letter is not None:
        if letter not in _LETTERS:
            raise _wrong("invalid escape sequence in string")
        return _LETTERS[letter]
    length, character = _ONE, ""
    if lead and _TRAIL.fullmatch(trail):
        length = 2 * _ONE
        character = bytes.fromhex((lead + trail).decode()).decode("utf-16-be")
    elif single and _HEX.fullmatch(single):
        character = chr(int(single, 16))
    if not character or _NO_CHARACTER.match(character):
        shown = token[match.start() : match.start() + length].decode(errors="replace")
        raise _wrong(f"{shown} is not a valid Unicode character")
    return character


_ONE = len(r"\u0000")
_HEX = re.compile(rb"[0-9a-fA-F]{4}")
_TRAIL = re.compile(rb"[dD][c-fC-F][0-9a-fA-F]{2}")


def text(value: Any) -> str:
    """Return a JSON value as QEMU writes it: ASCII, upper-case escapes, fractions with 17 digits."""
    match value:
        case dict():
            return "{" + ", ".join(f"{_quoted(key)}: {text(each)}" for key, each in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(text, value)) + "]"
        case str():
            return _quoted(value)
        case float():
            return f"{value:.17g}"
        case bool() | None:
            return json.dumps(value)
        case _:
            return str(value)


_ESCAPED = re.compile(r'["\\\x00-\x1f\x7f-\U0010ffff]')
_SHORT = {"\b": r"\b", "\f": r"\f", "\n": r"\n", "\r": r"\r", "\t": r"\t", '"': r"\"", "\\": r"\\"}


def _quoted(string: str) -> str:
    return '"' + _ESCAPED.sub(_escape, string) + '"'


def _escape(match: re.Match[str]) -> str:
    if match[0] in _SHORT:
        return _SHORT[match[0]]
    units = match[0].encode("utf-16-be", "surrogatepass").hex().upper()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def line(message: dict[str, Any]) -> bytes:
    """Return a message as QEMU sends it, with its line end."""
    return text(message).encode() + b"\r\n"
