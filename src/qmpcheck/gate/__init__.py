"""A real QEMU made to send events, without a guest system: scenarios, their playing, and the verdict."""
