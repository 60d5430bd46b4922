"""Rates and Jacobian of a model in numba, derived by SymPy: fair to the other tools and independent of the engine."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numba
import numpy as np
import sympy
from numpy.typing import NDArray
from sympy.printing.pycode import PythonCodePrinter

from regraft.model.equations import Equations
from regraft.model.expressions import Apply, Expression, Number, Symbol

Floats = NDArray[np.float64]


class power(sympy.Function):  # the name is what is printed
    """A power with any exponent, of a base below zero as if it were zero: solvers overshoot by rounding."""

    def fdiff(self, argindex: int = 1) -> Any:
        """Return the derivative by the base; exponents are parameters."""
        assert argindex == 1
        base, exponent = self.args
        return exponent * power(base, exponent - 1)


_POWER = """
@njit(fastmath=True, error_model="numpy")
def power(base, exponent):
    return max(base, 1e-30) ** exponent
"""
_OPERATIONS: dict[str, Callable[..., Any]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "pow": lambda a, b: a**b if b.is_Integer else power(a, b),
    "neg": lambda a: -a,
    "exp": sympy.exp,
    "ln": sympy.log,
    "sqrt": sympy.sqrt,
    "sin": sympy.sin,
    "cos": sympy.cos,
}


@dataclass(frozen=True)
class CompiledRates:
    """``constants`` is (patient, constant); ``rates(t, y, c, out)`` and ``jacobian(t, y, c, out)`` fill ``out``.

    The Jacobian is written at its non-zero places only; the others must be zero before.
    """

    constants: Floats
    rates: Any
    jacobian: Any


def compile_rates(equations: Equations, parameters: Floats) -> CompiledRates:
    """Derive, print and compile a model; what depends on parameters only is computed once per patient."""
    states = {state.id: sympy.Symbol(f"y_{state.id}", real=True) for state in equations.states}
    symbols = {p.id: sympy.Symbol(f"p_{p.id}", positive=True) for p in equations.parameters}
    names: dict[str, Any] = {**states, **symbols, "time": sympy.Symbol("t", real=True)}
    for assignment in equations.assignments:
        names[assignment.id] = to_sympy(assignment.expression, names)
    rates = [to_sympy(state.derivative, names) for state in equations.states]
    places = [(i, j) for i, rate in enumerate(rates) for j, y in enumerate(states.values()) if rate.has(y)]
    vector = list(states.values())
    slopes = [sympy.diff(rates[i], vector[j]) for i, j in places]
    hoist = _Hoist(set(symbols.values()))
    rates, slopes = [hoist(e) for e in rates], [hoist(e) for e in slopes]
    lines = ["from math import cos, exp, log, sin, sqrt", "", "from numba import njit", "", _POWER, ""]
    lines += _function("constants", "p, out", {s: f"p[{k}]" for k, s in enumerate(symbols.values())}, hoist.listed())
    load = {s: f"y[{k}]" for k, s in enumerate(vector)} | {s: f"c[{k}]" for k, s in enumerate(hoist.found.values())}
    lines += _function("rates", "t, y, c, out", load, [(f"out[{k}]", e) for k, e in enumerate(rates)])
    targets = [f"out[{i}, {j}]" for i, j in places]
    lines += _function("jacobian", "t, y, c, out", load, list(zip(targets, slopes, strict=True)))
    module = _import_text("\n".join(lines))
    fast = numba.njit(fastmath=True, error_model="numpy")
    constants, fill = np.empty((len(parameters), len(hoist.found))), fast(module.constants)
    for row, values in enumerate(parameters):
        fill(values, constants[row])
    return CompiledRates(constants, fast(module.rates), fast(module.jacobian))


def to_sympy(expression: Expression, names: dict[str, Any]) -> Any:
    """Return an expression tree as a SymPy expression."""
    if isinstance(expression, Number):
        whole = float(expression.value).is_integer()
        return sympy.Integer(int(expression.value)) if whole else sympy.Float(expression.value, 17)
    if isinstance(expression, Symbol):
        return names[expression.name]
    assert isinstance(expression, Apply)
    return _OPERATIONS[expression.operation](*(to_sympy(a, names) for a in expression.arguments))


class _Hoist:
    """Replaces every part that depends on parameters only by a constant."""

    def __init__(self, parameters: set[Any]) -> None:
        self.parameters = parameters
        self.found: dict[Any, Any] = {}

    def __call__(self, expression: Any) -> Any:
        """Return the expression with constants in place of such parts."""
        free = expression.free_symbols
        if free and free <= self.parameters:
            return self.found.setdefault(expression, sympy.Symbol(f"c_{len(self.found)}", positive=True))
        if expression.is_Atom:
            return expression
        if expression.func in (sympy.Mul, sympy.Add):
            fixed = [a for a in expression.args if a.free_symbols <= self.parameters]
            if len(fixed) > 1 and any(a.free_symbols for a in fixed):
                moving = [self(a) for a in expression.args if not a.free_symbols <= self.parameters]
                return expression.func(self(expression.func(*fixed)), *moving)
        return expression.func(*(self(a) for a in expression.args))

    def listed(self) -> list[tuple[str, Any]]:
        """Return the constants as targets and expressions."""
        return [(f"out[{k}]", e) for k, e in enumerate(self.found)]


class _Printer(PythonCodePrinter):
    """Prints a negative whole power as a division, which gives infinity at zero where a power would raise."""

    def _print_Pow(self, expression: Any, rational: bool = False) -> str:
        exponent = expression.exp
        if exponent.is_Integer and exponent < -1:
            return f"(1.0/({self._print(expression.base ** (-exponent))}))"
        return str(super()._print_Pow(expression, rational=rational))


def _function(name: str, arguments: str, load: dict[Any, str], results: Sequence[tuple[str, Any]]) -> list[str]:
    """Return the text of a function that loads what it needs, shares common parts and stores its results."""
    shared, final = sympy.cse([e for _, e in results], symbols=sympy.numbered_symbols("x"))
    needed = {s for e in [*(e for _, e in shared), *final] for s in e.free_symbols}
    body = [f"{symbol} = {place}" for symbol, place in load.items() if symbol in needed]
    printer = _Printer({"fully_qualified_modules": False, "user_functions": {"power": "power"}})
    body += [f"{symbol} = {printer.doprint(e)}" for symbol, e in shared]
    body += [f"{target} = {printer.doprint(e)}" for (target, _), e in zip(results, final, strict=True)]
    return [f"def {name}({arguments}):", *(f"    {line}" for line in body), "", ""]


def _import_text(text: str) -> Any:
    """Import a module from its text."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "generated_rates.py"
        path.write_text(text, encoding="utf-8")
        spec = importlib.util.spec_from_file_location("generated_rates", path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return module
