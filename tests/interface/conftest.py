from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

import regraft.entries
import regraft.interface.results
from regraft.interface.cli.main import app
from regraft.trial import TrialResult
from regraft.trial.stored import run as stored

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "ms_ahsct.yaml"
PATIENTS = 6


@dataclass(frozen=True)
class Outcome:
    """What a command returned to the shell and printed."""

    code: int
    out: str
    err: str


@dataclass
class SmallRun:
    """One real run through the command, and the result behind it."""

    outcome: Outcome
    folder: Path
    result: TrialResult
    stages: list[str] = field(default_factory=list)

    @property
    def record(self) -> dict[str, Any]:
        """What run.json holds."""
        content: dict[str, Any] = json.loads((self.folder / "run.json").read_text(encoding="utf-8"))
        return content


def regraft_command(*arguments: object) -> Outcome:
    """Run the real command in this process."""
    found = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return Outcome(found.exit_code, found.stdout, found.stderr)


def assert_one_error(outcome: Outcome, code: int, *parts: str) -> None:
    """Require one message on standard error that holds all parts, the code, and no traceback."""
    assert outcome.code == code, outcome
    assert outcome.err.startswith("Error: ")
    assert outcome.err.count("Error: ") == 1
    assert "Traceback" not in outcome.err + outcome.out
    assert outcome.out == ""
    missing = [part for part in parts if part not in outcome.err]
    assert not missing, outcome.err


@pytest.fixture
def trial_file(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes the example trial with some keys changed."""

    def write(**changes: Any) -> Path:
        content = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
        path = tmp_path / "trial.yaml"
        path.write_text(yaml.safe_dump(content | changes, sort_keys=False), encoding="utf-8")
        return path

    return write


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the catalog that the package reads in place of its own."""
    copy = tmp_path / "catalog"
    shutil.copytree(regraft.entries.catalog_root(), copy)
    monkeypatch.setattr(regraft.entries, "catalog_root", lambda: copy)
    return copy


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> SmallRun:
    """Run the example with a few patients, once for all tests."""
    folder = tmp_path_factory.mktemp("small") / "deep" / "out"
    kept: list[TrialResult] = []
    run_stored = stored.run_stored

    def keep(*arguments: Any, **options: Any) -> TrialResult:
        kept.append(run_stored(*arguments, **options))
        return kept[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "80")
        patch.setattr(stored, "run_stored", keep)
        outcome = regraft_command("run", EXAMPLE, "--patients", PATIENTS, "--seed", 11, "--out", folder)
    assert kept, outcome
    return SmallRun(outcome, folder, kept[0])


@pytest.fixture
def ready_result(small_run: SmallRun, monkeypatch: pytest.MonkeyPatch) -> TrialResult:
    """Let ``regraft run`` take the result and the page of the small run, so that the rest of the command is at work."""
    page = (small_run.folder / "report.html").read_text(encoding="utf-8")
    monkeypatch.setattr(stored, "run_stored", lambda *arguments, **options: small_run.result)
    monkeypatch.setattr(regraft.interface.results, "render_apart", lambda data: page)
    return small_run.result
