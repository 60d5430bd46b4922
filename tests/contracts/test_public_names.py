"""The public interface: few names, documented, light to import, and not used by the rooms themselves."""

from __future__ import annotations

import ast
import importlib
import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import regraft

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "regraft"
HEAVY = ("numpy", "scipy", "numba", "pandas", "pydantic", "antimony", "libsbml", "statsmodels", "altair")


def imports_from_root(package: Path) -> Iterator[str]:
    """Yield each import of a name of the package root that is not a module, outside the root itself."""
    modules = {path.stem for path in package.glob("*.py")} | {path.name for path in package.iterdir() if path.is_dir()}
    for path in sorted(package.rglob("*.py")):
        if path == package / "__init__.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == "regraft":
                for alias in node.names:
                    if alias.name not in modules:
                        yield f"{path.relative_to(package).as_posix()} imports {alias.name} from the package root"


def test_there_are_at_most_40_public_names_in_order() -> None:
    assert len(regraft.__all__) <= 40
    assert list(regraft.__all__) == sorted(set(regraft.__all__))


def test_lazy_names_and_listed_names_are_the_same() -> None:
    assert set(regraft._HOME) == set(regraft.__all__) == set(dir(regraft))


@pytest.mark.parametrize("name", regraft.__all__)
def test_public_name_is_found_in_its_room_and_documented(name: str) -> None:
    found = getattr(regraft, name)
    assert found is getattr(importlib.import_module(regraft._HOME[name]), name)
    text = vars(found).get("__doc__") if inspect.isclass(found) else found.__doc__
    # a dataclass without a docstring is given its signature as one
    assert text and text.strip() and not text.startswith(f"{name}("), f"{name} has no docstring of its own"


def test_every_public_name_is_in_the_reference_of_the_documentation() -> None:
    text = (ROOT / "docs" / "reference" / "api.md").read_text(encoding="utf-8")
    missing = [name for name in regraft.__all__ if f":: regraft.{name}\n" not in text]
    assert not missing


def test_type_checkers_see_the_same_names_as_programs() -> None:
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    imported = {alias.name for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert imported == set(regraft.__all__)
    assert (PACKAGE / "py.typed").is_file()


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'load_desing'"):
        _ = regraft.load_desing


def test_importing_the_package_imports_no_heavy_library() -> None:
    code = f"import regraft, sys; print([name for name in {HEAVY!r} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_no_room_imports_a_name_of_the_package_root() -> None:
    assert not list(imports_from_root(PACKAGE))


def test_a_planted_import_from_the_root_is_found(tmp_path: Path) -> None:
    (tmp_path / "engine").mkdir()
    (tmp_path / "streams.py").touch()
    text = "from regraft import streams\nfrom regraft import load_design\n"
    (tmp_path / "engine" / "planted.py").write_text(text, encoding="utf-8")
    assert list(imports_from_root(tmp_path)) == ["engine/planted.py imports load_design from the package root"]
