"""Recorded files to results: which streams they hold, by which spec each is checked, by which process."""
