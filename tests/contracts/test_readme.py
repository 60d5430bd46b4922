"""What the README shows: commands that continuous integration calls, and a Python example that works."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import regraft

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FIRST = (
    "python3 -m venv .venv && .venv/bin/pip install -c constraints.txt . && "
    ".venv/bin/regraft run examples/ms_ahsct.yaml --out out"
)
SECOND = ".venv/bin/pip install -c constraints.txt -e '.[dev]' && .venv/bin/python -m pytest -n 2 --dist loadfile"


def blocks(language: str) -> list[str]:
    """Return the code blocks of a language in the README."""
    return [text.strip() for text in re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)]


def names_used(code: str) -> set[str]:
    """Return the names of the package that a piece of code uses."""
    return {
        node.attr
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "regraft"
    }


def test_readme_shows_the_two_commands() -> None:
    assert blocks("bash") == [FIRST, SECOND]


def test_continuous_integration_calls_the_second_command() -> None:
    assert SECOND in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()


def test_example_of_the_first_command_is_in_the_repository() -> None:
    assert (ROOT / "examples" / "ms_ahsct.yaml").is_file()


def test_readme_names_only_public_names() -> None:
    code = "\n".join(blocks("python"))
    inline = set(re.findall(r"`regraft\.(\w+)\(", README))
    used = names_used(code) | inline
    assert {"load_design", "run_trial", "load_part"} <= used
    assert used <= set(regraft.__all__)


def test_links_and_pictures_of_the_readme_exist() -> None:
    targets = [target.split("#")[0] for target in re.findall(r"\]\(([^)]+)\)", README) if "://" not in target]
    assert "docs/_static/overview.svg" in targets
    assert not [target for target in targets if not (ROOT / target).exists()]


def test_python_example_runs_and_writes_its_results(tmp_path: Path) -> None:
    [code] = blocks("python")
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert "ahsct Day 0 to year 1" in run.stdout
    for name in ("report.html", "run.json", "tables/adsl.parquet"):
        assert (tmp_path / "out" / name).is_file()
