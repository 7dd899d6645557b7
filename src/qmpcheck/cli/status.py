"""The exit statuses of all commands."""

CLEAN, FINDINGS, UNUSABLE, INTERRUPTED = 0, 1, 2, 130
"""Nothing found; findings; usage, input or spec unusable, or nothing checked; stopped by the user."""
