from __future__ import annotations

import errno
from pathlib import Path

import pytest

from regraft.errors import OutputFolderError
from regraft.interface.folder import require_writable, whole_folder


def test_files_appear_only_when_all_are_written(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "out"
    with whole_folder(folder) as staging:
        (staging / "tables").mkdir()
        (staging / "tables" / "a.csv").write_text("1", encoding="utf-8")
        assert not (folder / "tables").exists()
    assert [path.name for path in folder.iterdir()] == ["tables"]
    assert (folder / "tables" / "a.csv").read_text(encoding="utf-8") == "1"


def test_a_full_disk_leaves_nothing_half_finished(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with pytest.raises(OutputFolderError, match="No space left"), whole_folder(folder) as staging:
        (staging / "a.csv").write_text("1", encoding="utf-8")
        raise OSError(errno.ENOSPC, "No space left on device")
    assert not folder.exists()


def test_earlier_results_survive_a_failed_write(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "report.html").write_text("old", encoding="utf-8")
    with pytest.raises(OutputFolderError), whole_folder(folder) as staging:
        (staging / "report.html").write_text("new", encoding="utf-8")
        raise OSError(errno.ENOSPC, "No space left on device")
    assert [path.name for path in folder.iterdir()] == ["report.html"]
    assert (folder / "report.html").read_text(encoding="utf-8") == "old"


def test_an_interruption_cleans_up(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt), whole_folder(folder) as staging:
        (staging / "a.csv").write_text("1", encoding="utf-8")
        raise KeyboardInterrupt
    assert not folder.exists()


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text("", encoding="utf-8")
    with pytest.raises(OutputFolderError, match="is a file"):
        require_writable(path)


def test_a_folder_under_a_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("", encoding="utf-8")
    with pytest.raises(OutputFolderError, match="lies under"):
        require_writable(path / "out")


def test_the_check_leaves_nothing_behind(tmp_path: Path) -> None:
    require_writable(tmp_path / "out")
    assert not list(tmp_path.iterdir())
