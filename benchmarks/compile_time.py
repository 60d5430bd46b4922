"""Print the seconds from Antimony text to a kernel in this process, imports not counted."""

from __future__ import annotations

import json
import time
from pathlib import Path

from regraft.engine import compile_model
from regraft.model import read_antimony

if __name__ == "__main__":
    text = (Path(__file__).parent / "models" / "immune_35.ant").read_text(encoding="utf-8")
    begin = time.perf_counter()
    equations = read_antimony(text)
    read = time.perf_counter()
    compile_model(equations, [state.id for state in equations.states])
    end = time.perf_counter()
    print(json.dumps({"seconds": end - begin, "reading": read - begin, "compiling": end - read}))
