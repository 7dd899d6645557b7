"""Read recorded streams: open them, cut them into lines, and find the messages in logs."""
