"""Checks the lines of a stream by a rule base."""
