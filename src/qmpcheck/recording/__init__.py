"""Record what a QEMU sends over QMP, as it comes: every byte as sent, and whole lines only."""
