"""Check recordings: find their streams, choose the spec of each, and share the work among processes."""
