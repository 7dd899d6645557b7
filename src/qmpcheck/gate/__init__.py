"""Make a real QEMU send events, without a guest system, and judge them."""
