"""What an installed package holds: every file of the source tree, data included."""

from __future__ import annotations

import importlib.resources
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "regraft"
NEEDED = (
    "py.typed",
    "engine/rodas5p.csv",
    "interface/report/report.html.j2",
    "interface/report/report.css",
    "catalog/models/ms/model.ant",
    "catalog/references_core.bib",
)


def files_of_the_wheel(root: Path) -> set[str]:
    """Return what the build backend would put into a wheel, relative to the package."""
    files = WheelBuilder(str(root)).recurse_included_files()
    return {file.distribution_path.removeprefix("regraft/") for file in files}


def missing_from(wheel: set[str], package: Path) -> list[str]:
    """Return the files of the source tree that a wheel would lack."""
    present = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    return sorted(present - wheel)


def test_wheel_holds_every_file_of_the_package() -> None:
    wheel = files_of_the_wheel(ROOT)
    assert set(NEEDED) <= wheel
    assert not missing_from(wheel, PACKAGE)


def test_a_file_that_the_build_leaves_out_is_found(tmp_path: Path) -> None:
    package = tmp_path / "src" / "regraft"
    package.mkdir(parents=True)
    for name in ("__init__.py", "table.csv"):
        (package / name).touch()
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_text("*.csv\n", encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "regraft"\nversion = "1"\n[tool.hatch.build.targets.wheel]\npackages = ["src/regraft"]\n',
        encoding="utf-8",
    )
    assert missing_from(files_of_the_wheel(tmp_path), package) == ["table.csv"]


@pytest.mark.parametrize("name", NEEDED)
def test_data_is_found_through_the_installed_package(name: str) -> None:
    assert importlib.resources.files("regraft").joinpath(*name.split("/")).is_file()
