"""Compare specs, and find the specs that a stream fits."""
