"""The structure that the project promises, checked against the tree."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_room_imports_only_rooms_to_its_left() -> None:
    run = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "kept" in run.stdout


def test_architecture_page_lists_every_module_and_no_other() -> None:
    run = subprocess.run(
        [sys.executable, ROOT / "tools" / "check_architecture.py"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout


def test_checks_and_files_that_the_architecture_page_names_exist() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    promises = page[page.index("## What always holds") : page.index("## What runs where")]
    named = re.findall(r"`([\w/]+(?:\.\w+)?/?)`", promises)
    places = (ROOT, ROOT / "src" / "regraft")
    assert len(named) > 10
    assert not [name for name in named if "/" in name and not any((place / name).exists() for place in places)]


def test_catalog_holds_no_python() -> None:
    assert not list((ROOT / "src" / "regraft" / "catalog").rglob("*.py"))


def test_readme_stays_within_120_lines() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 120


def test_constraints_hold_no_links() -> None:
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert "://" not in text
    assert "@" not in text
