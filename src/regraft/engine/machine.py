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


@lru_cache(maxsize=1)
def host_lanes() -> tuple[int, bool]:
    """Return how many doubles one instruction of this processor works on, and whether it fuses product and sum."""
    features = llvm.get_host_cpu_features()
    if features.get("avx512f"):
        return 8, True
    if features.get("avx2") and features.get("fma"):
        return 4, True
    if llvm.get_process_triple().startswith(("aarch64", "arm64")):
        return 2, True
    return 2, bool(features.get("fma"))


def flush_functions() -> str:
    """Return functions that make the processor count numbers below 2.2e-308 as zero, and undo it.

    Such numbers cost a hundred times more and mean nothing here. ``flush_on`` keeps the former state in the first place
    of ``m``. What a processor of another kind does is left alone.
    """
    triple = llvm.get_process_triple()
    if triple.startswith(("x86_64", "amd64", "i686")):
        return _FLUSH_X86
    return _FLUSH_ARM if triple.startswith(("aarch64", "arm64")) else _FLUSH_NOT


# Bits 15 and 6 of the control register: flush results, and take arguments as zero.
_FLUSH_X86 = """declare void @llvm.x86.sse.stmxcsr(ptr)
declare void @llvm.x86.sse.ldmxcsr(ptr)
define void @flush_on(ptr %m) {
%now = alloca i32
call void @llvm.x86.sse.stmxcsr(ptr %m)
%before = load i32, ptr %m
%flushing = or i32 %before, 32832
store i32 %flushing, ptr %now
call void @llvm.x86.sse.ldmxcsr(ptr %now)
ret void
}
define void @flush_off(ptr %m) {
call void @llvm.x86.sse.ldmxcsr(ptr %m)
ret void
}"""
# Bit 24 of the control register.
_FLUSH_ARM = """define void @flush_on(ptr %m) {
%before = call i64 asm sideeffect "mrs $0, fpcr", "=r"()
store i64 %before, ptr %m
%flushing = or i64 %before, 16777216
call void asm sideeffect "msr fpcr, $0", "r"(i64 %flushing)
ret void
}
define void @flush_off(ptr %m) {
%before = load i64, ptr %m
call void asm sideeffect "msr fpcr, $0", "r"(i64 %before)
ret void
}"""
_FLUSH_NOT = """define void @flush_on(ptr %m) {
ret void
}
define void @flush_off(ptr %m) {
ret void
}"""


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
