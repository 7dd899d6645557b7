"""A rule base held against blocks of a stream."""
