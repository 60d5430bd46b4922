"""What may not be in the repository: addresses of one machine or of a package registry."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Written in pieces, so that this file does not hold what it forbids.
SLASH, DOT = "/", "."
FOLDERS = ("work", "home", "root", "Users", "mnt", "workspace")
HOSTS = (("pypi", "org"), ("python" + "hosted", "org"), ("npmjs", "org"), ("conda", "anaconda"), ("crates", "io"))
OPTIONS = ("index" + "-url", "trusted" + "-host", "find" + "-links")
FORBIDDEN = re.compile(
    "|".join(
        [rf"(?<![\w./:-]){SLASH}{folder}{SLASH}\w" for folder in FOLDERS]
        + [re.escape(name + DOT + end) for name, end in HOSTS]
        + [re.escape("--" + option) for option in OPTIONS]
    )
)


def offences(folder: Path, names: list[str]) -> list[str]:
    """Return file, line and text of everything forbidden in some files."""
    found = []
    for name in names:
        try:
            text = (folder / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), start=1):
            hit = FORBIDDEN.search(line)
            if hit:
                found.append(f"{name}, line {number}: {hit.group()!r}")
    return found


def tracked_files() -> list[str]:
    """Return the files under version control that exist."""
    run = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [name for name in run.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_no_tracked_file_names_a_folder_of_one_machine_or_a_registry() -> None:
    names = tracked_files()
    assert "pyproject.toml" in names
    assert not offences(ROOT, names)


def test_a_planted_path_host_and_option_are_found(tmp_path: Path) -> None:
    planted = [
        SLASH + "home" + SLASH + "someone/data.csv",
        "https:" + 2 * SLASH + "files" + DOT + "python" + "hosted" + DOT + "org",
        "--" + OPTIONS[0] + " x",
    ]
    harmless = [SLASH.join(["src", "work", "file.py"]), "home/page", "see regraft run", "/ work"]
    (tmp_path / "file.txt").write_text("\n".join(planted + harmless), encoding="utf-8")
    assert [line.split(":")[0] for line in offences(tmp_path, ["file.txt"])] == [
        "file.txt, line 1",
        "file.txt, line 2",
        "file.txt, line 3",
    ]
