"""Render results: as text, as JSON, and for CI systems."""
