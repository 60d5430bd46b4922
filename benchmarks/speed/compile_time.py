"""Print the seconds from Antimony text to a kernel in this process, imports not counted."""

from __future__ import annotations

import json
import time
from pathlib import Path

from regraft.engine import compile_model
from regraft.model import read_antimony

if __name__ == "__main__":
    text = (Path(__file__).resolve().parents[1] / "models" / "immune_35.ant").read_text(encoding="utf-8")
    begin, begin_processor = time.perf_counter(), time.process_time()
    equations = read_antimony(text)
    compile_model(equations, [state.id for state in equations.states])
    taken = {"clock": time.perf_counter() - begin, "processor": time.process_time() - begin_processor}
    print(json.dumps(taken))
