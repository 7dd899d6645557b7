"""The smallest SPICE client that a server accepts: it opens the main channel, and leaves."""

from __future__ import annotations

import hashlib
import os
import socket
import struct

_MAGIC, _MAJOR, _MINOR = b"REDQ", 2, 2
_MAIN_CHANNEL = 1
_HEADER = struct.Struct("<4s3I")
_KEY_BYTES = 162
"""The size of the server's public key, a DER structure that ends with the modulus and five other bytes."""

_MODULUS_BYTES, _EXPONENT = 128, 65537


def shake_hands(peer: socket.socket) -> None:
    """Open the main channel. The protocol asks for an encrypted password, even if none is set.

    Raises:
        OSError: the server closes the connection.
    """
    # A new session, the type and number of the channel, no capabilities, and the offset of these.
    link = struct.pack("<IBB3I", 0, _MAIN_CHANNEL, 0, 0, 0, 18)
    peer.sendall(_HEADER.pack(_MAGIC, _MAJOR, _MINOR, len(link)) + link)
    with peer.makefile("rb") as answers:
        size = _HEADER.unpack(answers.read(_HEADER.size))[3]
        key = answers.read(size)[4 : 4 + _KEY_BYTES]
        modulus = int.from_bytes(key[-_MODULUS_BYTES - 5 : -5], "big")
        peer.sendall(_encrypted(b"\0", modulus))
        answers.read(4)


def _encrypted(text: bytes, modulus: int) -> bytes:
    """Encrypt a text by RSA with OAEP and SHA-1, as RFC 8017 defines it and SPICE prescribes it."""
    empty = hashlib.sha1(b"", usedforsecurity=False).digest()
    seed = os.urandom(len(empty))
    block = empty + bytes(_MODULUS_BYTES - 2 * len(empty) - 2 - len(text)) + b"\1" + text
    masked = _xor(block, _mask(seed, len(block)))
    padded = _xor(seed, _mask(masked, len(seed))) + masked
    return pow(int.from_bytes(padded, "big"), _EXPONENT, modulus).to_bytes(_MODULUS_BYTES, "big")


def _mask(seed: bytes, size: int) -> bytes:
    parts = (
        hashlib.sha1(seed + struct.pack(">I", at), usedforsecurity=False).digest()
        for at in range(size // 20 + 1)
    )
    return b"".join(parts)[:size]


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))
