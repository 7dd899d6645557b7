"""A QMP server that plays recorded or generated events: the QEMU that clients are tested with."""
