"""Check that ARCHITECTURE.md lists every module of the package, and only modules that exist.

Run ``python tools/check_architecture.py``; it prints what differs and exits with 1.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENTRY = re.compile(r"^\| `([\w/]+\.py)` \| (.+) \|$", re.MULTILINE)


def listed_modules(text: str) -> dict[str, str]:
    """Return the modules in the page's tables with what the page says of each."""
    return dict(ENTRY.findall(text))


def modules_on_disk(root: Path) -> set[str]:
    """Return the package's modules, relative to the package folder, without bare ``__init__`` files."""
    package = root / "src" / "regraft"
    found = (path for path in package.rglob("*.py") if path.name != "__init__.py" or path.parent == package)
    return {path.relative_to(package).as_posix() for path in found}


def differences(root: Path) -> list[str]:
    """Return one sentence per module that is listed but absent, or present but not listed."""
    listed = set(listed_modules((root / "ARCHITECTURE.md").read_text(encoding="utf-8")))
    present = modules_on_disk(root)
    return [
        f"ARCHITECTURE.md lists {path}, which does not exist: remove the line." for path in sorted(listed - present)
    ] + [f"{path} is not in ARCHITECTURE.md: add a line that says what it does." for path in sorted(present - listed)]


if __name__ == "__main__":
    problems = differences(ROOT)
    sys.stdout.write("".join(problem + "\n" for problem in problems) or "ARCHITECTURE.md matches the tree.\n")
    sys.exit(1 if problems else 0)
