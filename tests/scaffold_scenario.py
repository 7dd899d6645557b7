"""Begin a scenario of the gate: python tests/scaffold_scenario.py THEME NAME

THEME is a module in src/qmpcheck/gate/scenarios, such as `power`; NAME is what --only takes. It writes a scenario that
works and registers it, and prints what is left to do.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
SCENARIOS = Path("src/qmpcheck/gate/scenarios")

REGISTRY = "SCENARIOS = (\n"
"""What begins a theme's list of scenarios, which ends at the first line with a lone parenthesis."""

FUNCTION = """def FUNCTION(stage: Stage) -> None:
    with stage.bare() as vm:
        vm.command("stop")
        vm.wait("STOP")


"""

ENTRY = """    Scenario(
        "NAME",
        "the machine is stopped",
        (expected("STOP"), QUIT),
        FUNCTION,
    ),
"""

NEXT = """
Next ("A scenario of the gate" in CONTRIBUTING.md says more):

1. Edit {function} and its Scenario in {module}: what happens, in one line, and the events that must come, in order.
   `stage.guest(...)` starts a machine whose devices are driven from outside; then say what it must have: `needs=`.
2. .venv/bin/qmpcheck gate --qemu qemu-system-x86_64 --only {name} --fail-on warning
   Play it on each release that you have, twenty times on each.
3. .venv/bin/qmpcheck gate --qemu qemu-system-x86_64 --only {name} --save corpora/gate-VERSION
4. .venv/bin/pytest tests/test_scenarios.py names what is left to do in docs/gate.md.
5. .venv/bin/pytest tests/test_gate.py changes each of its events on the way, and expects a finding.
6. Add an entry to CHANGELOG.md.
"""


def main(theme: str, name: str, root: Path = ROOT) -> str | None:
    """Write the scenario in a checkout; return what is wrong, or None."""
    module = SCENARIOS / f"{theme}.py"
    themes = [path for path in sorted((root / SCENARIOS).glob("*.py")) if REGISTRY in path.read_text()]
    if theme not in [path.stem for path in themes]:
        return f"{theme}: expected one of the themes {', '.join(path.stem for path in themes)}"
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        return f"{name}: expected lower-case words with dashes between them, such as guest-reset"
    text = (root / module).read_text()
    function = f"_{name.replace('-', '_')}"
    taken = [path for path in themes if f'"{name}"' in path.read_text()]
    if taken or re.search(rf"^(?:def )?{function}\b", text, re.MULTILINE):
        return f"{name}: {(taken[0].relative_to(root) if taken else module)} has one of that name already"
    above, below = text.split(REGISTRY)
    entries, after = below.split("\n)\n", 1)
    fill = {"FUNCTION": function, "NAME": name}
    new = [re.sub("|".join(fill), lambda found: fill[found[0]], each) for each in (FUNCTION, ENTRY)]
    (root / module).write_text(f"{above}{new[0]}{REGISTRY}{entries}\n{new[1]})\n{after}")
    print(f"wrote {function} and its Scenario in {module}")
    print(NEXT.format(function=function, module=module, name=name), end="")
    return None


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2]))
