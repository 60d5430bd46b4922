"""The report written by a process of its own, whose memory is free again when it is done.

What draws figures holds a JavaScript engine of more than 100 MB until its process ends, and the process that sums up a
large trial is the one that has least room.
"""

from __future__ import annotations

import pickle
import subprocess
import sys

from regraft.interface.report.data import ReportData
from regraft.interface.report.page import render


def render_apart(data: ReportData) -> str:
    """Return what ``render`` returns, from another process.

    Raises
    ------
    RuntimeError : that process failed, with what it said
    """
    done = subprocess.run([sys.executable, "-m", __name__], input=pickle.dumps(data), capture_output=True, check=False)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise RuntimeError(f"The report was not drawn: its process ended with code {done.returncode}.\n{said}")
    return done.stdout.decode("utf-8")


def _main() -> None:
    """Read data from standard input and write the page to standard output."""
    page = render(pickle.load(sys.stdin.buffer))  # written by the process that started this one
    sys.stdout.buffer.write(page.encode("utf-8"))


if __name__ == "__main__":
    _main()
