"""What a QEMU sends over QMP, written down as it comes: every byte as sent, and whole lines only."""
