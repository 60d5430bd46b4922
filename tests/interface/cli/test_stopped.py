"""Runs that are stopped from outside: each tells how it ended, and the same command ends it with the same numbers."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from ..conftest import EXAMPLE, regraft_command

UNTREATED = {"id": "untreated", "label": "No treatment", "protocol": "untreated"}
COMMAND = "import sys; from regraft.interface.cli.main import app; app(sys.argv[1:])"
IN_PROCESSES = ("--patient-seconds", "60")
ROOM = 1_000  # bytes that a file may have where the disk is full


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a quick trial that nobody stopped: the file, what was printed, and its tables."""
    folder = tmp_path_factory.mktemp("whole")
    content = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    content |= {"endpoints": ["overall_survival"], "outcomes": [], "arms": [UNTREATED], "patients_per_arm": 60}
    (folder / "trial.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    outcome = regraft_command("run", folder / "trial.yaml", "--out", folder / "out", "--json")
    (folder / "printed.json").write_text(outcome.out, encoding="utf-8")
    return folder


def start(*arguments: object) -> subprocess.Popen[str]:
    """Start the command as a shell does: with a group of processes of its own, and open to Ctrl-C.

    A test run in the background of a script hears none, and its processes would inherit that.
    """
    line = [sys.executable, "-c", COMMAND, *map(str, arguments)]
    pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(line, **pipes, start_new_session=True, preexec_fn=hear_interrupts)


def hear_interrupts() -> None:
    """Let this process end by Ctrl-C as usual."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def once_begun(process: subprocess.Popen[str], out: Path) -> None:
    """Wait until a run has finished its first chunk."""
    while not finished(out):
        assert process.poll() is None
        time.sleep(0.01)


def fill_disk(process: subprocess.Popen[str]) -> None:
    """Let all processes of a command find no room for what they write."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="utf-8").split()
    for number in (process.pid, *map(int, children)):
        resource.prlimit(number, resource.RLIMIT_FSIZE, (ROOM, resource.RLIM_INFINITY))


def finished(out: Path) -> dict[Path, int]:
    """Return the finished chunks of a run with the times of their files."""
    return {path: path.stat().st_mtime_ns for path in (out / "chunks").glob("*/*-screened.parquet")}


def ends_like(whole: Path, out: Path, *arguments: object) -> None:
    """Require that the same command goes on, computes no finished chunk again, and ends with the usual numbers."""
    before = finished(out)
    outcome = regraft_command(*arguments)
    assert outcome.code == 0, outcome
    assert {path: time for path, time in finished(out).items() if path in before} == before
    assert json.loads(outcome.out) == json.loads((whole / "printed.json").read_text(encoding="utf-8"))
    for path in (whole / "out" / "tables").iterdir():
        assert path.read_bytes() == (out / "tables" / path.name).read_bytes()


@pytest.mark.parametrize("options", [(), IN_PROCESSES])
def test_ctrl_c_in_a_shell_leaves_a_run_that_the_same_command_ends(
    whole: Path, tmp_path: Path, options: tuple[str, ...]
) -> None:
    arguments = ("run", whole / "trial.yaml", "--out", tmp_path / "out", "--json", *options)
    process = start(*arguments)
    once_begun(process, tmp_path / "out")
    os.killpg(process.pid, signal.SIGINT)  # a terminal tells all processes of the command
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (5, "")
    assert err.count("\n") == 1
    assert "kept in" in err
    assert err.endswith("The same command goes on from there.\n")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["chunks"]
    ends_like(whole, tmp_path / "out", *arguments)


@pytest.mark.parametrize("options", [(), IN_PROCESSES])
def test_a_disk_without_room_ends_a_run_with_one_message_and_the_same_command_goes_on(
    whole: Path, tmp_path: Path, options: tuple[str, ...]
) -> None:
    arguments = ("run", whole / "trial.yaml", "--out", tmp_path / "out", "--json", *options)
    process = start(*arguments)
    once_begun(process, tmp_path / "out")
    fill_disk(process)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (2, ""), err
    assert err.count("\n") == 1
    assert err.startswith("Error: ")
    assert "cannot be written: File too large. Free some room and give the same command again" in err
    assert finished(tmp_path / "out")
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith(".")]
    ends_like(whole, tmp_path / "out", *arguments)
