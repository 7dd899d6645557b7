"""The boards that are known, by family."""
