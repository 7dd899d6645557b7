"""What changed between two specs, and which spec a stream fits."""
