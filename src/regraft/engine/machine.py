"""LLVM text to machine code in memory, with the object code kept on disk for the next run."""

from __future__ import annotations

import hashlib
import os
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

import llvmlite
import llvmlite.binding as llvm

_OPTIMISATION = 1  # measured: higher levels compile slower and run no faster


@lru_cache(maxsize=1)
def _initialise() -> None:
    """Start LLVM's code generator for this machine, once per process."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()


def cache_folder() -> Path | None:
    """Return where object code is kept, or None where no folder can be written."""
    chosen = os.environ.get("REGRAFT_CACHE_DIR")
    folder = Path(chosen) if chosen else Path.home() / ".cache" / "regraft"
    try:
        folder = folder / "kernels"
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


def _features() -> str:
    features = llvm.get_host_cpu_features()
    return str(features.flatten())


def load_machine_code(text: str) -> Any:
    """Compile LLVM text, or read its object code from the cache, and return the execution engine that owns it."""
    _initialise()
    cpu, features = llvm.get_host_cpu_name(), _features()
    recipe = "\n".join((llvmlite.__version__, cpu, features, str(_OPTIMISATION), text))
    key = hashlib.blake2b(recipe.encode(), digest_size=20).hexdigest()
    folder = cache_folder()
    path = folder / f"{key}.o" if folder else None
    target = llvm.Target.from_default_triple()
    machine = target.create_target_machine(cpu=cpu, features=features, opt=_OPTIMISATION, jit=True)
    if path is not None and path.exists():
        engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
        engine.add_object_file(llvm.ObjectFileRef.from_data(path.read_bytes()))
        engine.finalize_object()
        return engine
    module = llvm.parse_assembly(text)
    module.verify()
    module.triple, module.data_layout = machine.triple, str(machine.target_data)
    builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=_OPTIMISATION))
    builder.getModulePassManager().run(module, builder)
    data = machine.emit_object(module)
    if path is not None:
        _write_whole(path, data)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    engine.add_object_file(llvm.ObjectFileRef.from_data(data))
    engine.finalize_object()
    return engine


def _write_whole(path: Path, data: bytes) -> None:
    """Write a file under a temporary name and rename it, so that no reader sees a part."""
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(data)
        Path(file.name).replace(path)
    except OSError:
        return
