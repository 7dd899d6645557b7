"""What a QEMU sends over QMP, written down as it comes: every byte as sent, and whole lines only.

Plain sockets are read here, and not `qemu.qmp`: that hands out messages that it has parsed, replies apart
from events, and of their text, its order and its line ends nothing is left.
"""
