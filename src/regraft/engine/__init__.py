"""Equations to many patients at once: code generation, kernel, solver, events and results."""

from regraft.engine.administrations import Administrations, Kind
from regraft.engine.gradient import Gradient, solve_with_gradient
from regraft.engine.kernel import Kernel, compile_model
from regraft.engine.reductions import Reduction
from regraft.engine.result import Result, Snapshot
from regraft.engine.settings import SolverSettings
from regraft.engine.solve import solve
from regraft.engine.status import Status
from regraft.engine.stochastic import solve_exactly
from regraft.engine.stochastic_kernel import NetworkKernel, compile_network

__all__ = [
    "Administrations",
    "Gradient",
    "Kernel",
    "Kind",
    "NetworkKernel",
    "Reduction",
    "Result",
    "Snapshot",
    "SolverSettings",
    "Status",
    "compile_model",
    "compile_network",
    "solve",
    "solve_exactly",
    "solve_with_gradient",
]
