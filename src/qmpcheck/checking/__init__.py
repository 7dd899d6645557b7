"""Check the lines of a stream by a rule base.

`checker` is the forward pass. For each block of lines it uses:

- `reader`: decodes lines (`decoder`), and has the lines that break a rule explained (`explain`).
- `timestamps`: checks the order of time, and rate limits.
- `plan`: the steps of each message. Most are methods of `monitors`: each temporal rule has one monitor, and
  `response` has that of the usual kind.
- `session`: the state of the QEMU process, which monitors share; it has the open commands (`sent_commands`).
- `result`: counts and lists findings. `timeline` records what happened, for reports that draw it.

Temporal rules are values of one type (`temporal_rule`). They come from the spec's follow-ups, from files of
users (`user_rules`), and from `rules/commands.toml` (`command_rules`); `errata` adds known exceptions to
them. So a new rule usually takes no code; a new kind of rule is a class in `monitors`. CONTRIBUTING.md has
the steps.
"""
