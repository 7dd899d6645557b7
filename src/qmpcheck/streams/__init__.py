"""Recorded streams to blocks of whole lines."""
