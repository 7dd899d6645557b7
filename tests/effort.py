"""How many examples the property tests try: a fifth while you work, all of them in CI."""

from hypothesis import settings


def examples(number: int) -> settings:
    """The settings of a test that tries so many examples in the profile `thorough`, and fewer in `quick`."""
    return settings(max_examples=max(5, number * settings().max_examples // 100))
