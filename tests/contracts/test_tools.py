"""Formatter, linter, type checker and documentation are content with the whole tree."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = Path(sys.executable).parent


def run(*command: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run a tool of the virtual environment."""
    return subprocess.run([SCRIPTS / command[0], *command[1:]], cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("command", [("check",), ("format", "--check")], ids=" ".join)
def test_ruff_has_nothing_to_say(command: tuple[str, ...]) -> None:
    done = run("ruff", *command, "--no-cache", ".")
    assert done.returncode == 0, done.stdout + done.stderr


def test_types_of_the_package_are_strict_and_sound(tmp_path: Path) -> None:
    done = run("mypy", "--cache-dir", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr


def test_documentation_builds_without_a_warning(tmp_path: Path) -> None:
    done = run("sphinx-build", "-W", "--keep-going", "-q", "-b", "html", "docs", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "reference" / "api.html").is_file()


def test_a_planted_fault_is_found_by_each_tool(tmp_path: Path) -> None:
    (tmp_path / "planted.py").write_text("import os\ndef f() -> int:\n    return 'one'\n", encoding="utf-8")
    (tmp_path / "conf.py").write_text("extensions = ['myst_parser']\n", encoding="utf-8")
    (tmp_path / "index.md").write_text("# Title\n[nowhere](nowhere.md)\n", encoding="utf-8")
    config = ("--config", str(ROOT / "pyproject.toml"))
    assert "F401" in run("ruff", "check", "--no-cache", *config, "planted.py", folder=tmp_path).stdout
    assert run("ruff", "format", "--check", "--no-cache", *config, "planted.py", folder=tmp_path).returncode == 1
    typed = run("mypy", "--config-file", "", "--strict", "--cache-dir", "cache", "planted.py", folder=tmp_path)
    assert "return-value" in typed.stdout
    assert run("sphinx-build", "-W", "-q", "-b", "html", ".", "out", folder=tmp_path).returncode != 0
