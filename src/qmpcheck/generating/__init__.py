"""Streams made from a spec: what a QEMU of that release could send."""
