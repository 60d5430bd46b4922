"""LLVM instructions as text, on vectors of one double per patient lane; one lane is a plain double.

No fast-math flag is ever set. Where a product meets a sum, the fused operation is written out, so that every width of
vector rounds in the same places.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence


def _hexadecimal(value: float) -> str:
    return f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"


class Code:
    """Instructions of one function under construction; values live in numbered registers.

    Parameters
    ----------
    lanes : doubles per vector
    fused : whether the processor multiplies and adds in one rounding; without, both are rounded
    """

    def __init__(self, lanes: int, *, fused: bool) -> None:
        self.lanes, self.fused = lanes, fused
        self.real, self.whole, self.truth = (self._vector(kind) for kind in ("double", "i64", "i1"))
        self.lines: list[str] = []
        self.declared: dict[str, None] = {}
        self.called: dict[str, None] = {}
        self._count = 0
        self._block = "entry"

    @property
    def always(self) -> str:
        """The condition that holds in every lane."""
        return self._everywhere("i1", "true")

    def _vector(self, kind: str) -> str:
        return kind if self.lanes == 1 else f"<{self.lanes} x {kind}>"

    def _everywhere(self, kind: str, value: str) -> str:
        return value if self.lanes == 1 else "<" + ", ".join([f"{kind} {value}"] * self.lanes) + ">"

    def number(self, value: float) -> str:
        """Return a literal, the same in every lane."""
        return self._everywhere("double", _hexadecimal(value))

    def integer(self, value: int) -> str:
        """Return a literal 64-bit pattern, the same in every lane."""
        return self._everywhere("i64", str(value))

    def new(self) -> str:
        """Return a fresh register."""
        self._count += 1
        return f"%v{self._count}"

    def put(self, text: str) -> str:
        """Append an instruction that gives a value and return its register."""
        register = self.new()
        self.lines.append(f"{register} = {text}")
        return register

    def add(self, a: str, b: str) -> str:
        """Return a + b."""
        return self.put(f"fadd {self.real} {a}, {b}")

    def sub(self, a: str, b: str) -> str:
        """Return a - b."""
        return self.put(f"fsub {self.real} {a}, {b}")

    def mul(self, a: str, b: str) -> str:
        """Return a * b."""
        return self.put(f"fmul {self.real} {a}, {b}")

    def div(self, a: str, b: str) -> str:
        """Return a / b."""
        return self.put(f"fdiv {self.real} {a}, {b}")

    def neg(self, a: str) -> str:
        """Return -a."""
        return self.put(f"fneg {self.real} {a}")

    def fma(self, a: str, b: str, c: str) -> str:
        """Return a * b + c, rounded once where the processor can."""
        return self.intrinsic("fma", a, b, c) if self.fused else self.add(self.mul(a, b), c)

    def intrinsic(self, name: str, *arguments: str) -> str:
        """Call an operation that LLVM knows and every processor computes exactly."""
        suffix = "f64" if self.lanes == 1 else f"v{self.lanes}f64"
        full = f"llvm.{name}.{suffix}"
        self.declared[f"declare {self.real} @{full}({', '.join([self.real] * len(arguments))})"] = None
        return self.put(f"call {self.real} @{full}({', '.join(f'{self.real} {a}' for a in arguments)})")

    def call(self, name: str, *arguments: str) -> str:
        """Call one of our own mathematical functions (see ``maths``)."""
        self.called[name] = None
        return self.put(
            f"call {self.real} @own_{name}_{self.lanes}({', '.join(f'{self.real} {a}' for a in arguments)})"
        )

    def compare(self, how: str, a: str, b: str) -> str:
        """Return where a comparison holds (``olt``, ``uno``, ... as LLVM names them)."""
        return self.put(f"fcmp {how} {self.real} {a}, {b}")

    def select(self, where: str, yes: str, no: str, *, kind: str = "") -> str:
        """Return ``yes`` where a condition holds and ``no`` elsewhere."""
        kind = kind or self.real
        return self.put(f"select {self.truth} {where}, {kind} {yes}, {kind} {no}")

    def both(self, how: str, a: str, b: str) -> str:
        """Combine two conditions with ``and``, ``or`` or ``xor``."""
        return self.put(f"{how} {self.truth} {a}, {b}")

    def as_real(self, where: str) -> str:
        """Return 1 where a condition holds and 0 elsewhere."""
        return self.put(f"uitofp {self.truth} {where} to {self.real}")

    def bits(self, a: str) -> str:
        """Return the bit pattern of a number."""
        return self.put(f"bitcast {self.real} {a} to {self.whole}")

    def from_bits(self, a: str) -> str:
        """Return the number with a bit pattern."""
        return self.put(f"bitcast {self.whole} {a} to {self.real}")

    def on_bits(self, operation: str, a: str, b: str) -> str:
        """Return an integer operation on bit patterns."""
        return self.put(f"{operation} {self.whole} {a}, {b}")

    def polynomial(self, coefficients: Sequence[float], x: str) -> str:
        """Return a polynomial, highest coefficient first, by pairs: a short chain of dependent instructions."""
        terms = [self.number(c) for c in reversed(coefficients)]
        while True:
            pairs = [self.fma(terms[i + 1], x, terms[i]) for i in range(0, len(terms) - 1, 2)]
            terms = pairs + terms[len(pairs) * 2 :]
            if len(terms) == 1:
                return terms[0]
            x = self.mul(x, x)

    def address(self, base: str, row: int | str) -> str:
        """Return the place of a row of lanes."""
        return self.put(f"getelementptr inbounds {self.real}, ptr {base}, i64 {row}")

    def load(self, base: str, row: int | str) -> str:
        """Read a row of lanes."""
        return self.put(f"load {self.real}, ptr {self.address(base, row)}, align {8 * self.lanes}")

    def store(self, value: str, base: str, row: int | str) -> None:
        """Write a row of lanes."""
        self.lines.append(f"store {self.real} {value}, ptr {self.address(base, row)}, align {8 * self.lanes}")

    def run(self, text: str) -> None:
        """Append an instruction that gives no value."""
        self.lines.append(text)

    def loop(self, count: int, body: Callable[[str], None]) -> None:
        """Repeat instructions for index 0 ... count - 1; sums over turns go through memory or ``folded``."""

        def turn(index: str, sums: list[str]) -> list[str]:
            body(index)
            return sums

        self.folded(count, [], turn)

    def folded(self, count: int, start: Sequence[str], body: Callable[[str, list[str]], list[str]]) -> list[str]:
        """Repeat instructions that carry values from turn to turn; return the last ones."""
        if count == 0:
            return list(start)
        label, before = f"turn{self._count}", self._block
        index, following = self.new(), self.new()
        carried = [self.new() for _ in start]
        head = len(self.lines)
        after = body(index, carried)
        phis = [f"br label %{label}", f"{label}:", f"{index} = phi i64 [0, %{before}], [{following}, %{label}]"]
        phis += [
            f"{register} = phi {self.real} [{first}, %{before}], [{last}, %{label}]"
            for register, first, last in zip(carried, start, after, strict=True)
        ]
        self.lines[head:head] = phis
        more = self.new()
        self.lines += [
            f"{following} = add i64 {index}, 1",
            f"{more} = icmp ult i64 {following}, {count}",
            f"br i1 {more}, label %{label}, label %{label}end",
            f"{label}end:",
        ]
        self._block = f"{label}end"
        return after
