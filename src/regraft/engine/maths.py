"""Our own exp, logarithms, powers and circular functions: sums and products only, the same bits in every lane width.

They replace the mathematical library of the system, which has no vector form and rounds differently from machine to
machine. Results and arguments below the smallest normal number (2.2e-308) count as zero, as the processor is set to do
while the solver runs. Circular functions are for arguments up to about a million; beyond 1e15 they give NaN.
Reductions and coefficients follow fdlibm [sun_fdlibm_1993].
"""

from __future__ import annotations

import math
from collections.abc import Callable

from regraft.engine.instructions import Code

_ROUNDER = 1.5 * 2.0**52  # adding it leaves a whole number in the lowest bits
_LOG2_E = 1.4426950408889634
# The upper part of ln 2 has so few bits that its product with an exponent is exact.
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_LARGEST_EXP, _SMALLEST_EXP = 709.782712893384, -708.3964185322641
_SMALLEST_NORMAL = 2.2250738585072014e-308
_EXP_SERIES = [1.0 / math.factorial(k) for k in range(13, 1, -1)]
_LOG_SERIES = [
    1.479819860511658591e-01,
    1.531383769920937332e-01,
    1.818357216161805012e-01,
    2.222219843214978396e-01,
    2.857142874366239149e-01,
    3.999999999940941908e-01,
    6.666666666666735130e-01,
]
_ONE_BITS, _ROOT_HALF_BITS = 0x3FF0000000000000, 0x3FE6A09E667F3BCD
_FRACTION_BITS, _TWO_52_BITS = 0x000FFFFFFFFFFFFF, 0x4330000000000000
_LOG10_E_HIGH, _LOG10_E_LOW = 0.4342944819032518, 1.098319650216765e-17
_TWO_BY_PI = 0.6366197723675814
_HALF_PI = (1.57079632673412561417e00, 6.07710050630396597660e-11, 2.02226624879595063154e-21)
_LARGEST_ANGLE = 1e15
_SIN_SERIES = [
    1.58969099521155010221e-10,
    -2.50507602534068634195e-08,
    2.75573137070700676789e-06,
    -1.98412698298579493134e-04,
    8.33333333332248946124e-03,
    -1.66666666666666324348e-01,
]
_COS_SERIES = [
    -1.13596475577881948265e-11,
    2.08757232129817482790e-09,
    -2.75573143513906633035e-07,
    2.48015872894767294178e-05,
    -1.38888888888741095749e-03,
    4.16666666666666019037e-02,
]
_TANH_IS_ONE = 22.0


def _exponential_parts(c: Code, x: str, low: str | None = None) -> tuple[str, str]:
    """Return n (in the low bits of a pattern) and p such that exp(x + low) = 2^n (1 + p)."""
    shifted = c.fma(x, c.number(_LOG2_E), c.number(_ROUNDER))
    n = c.sub(shifted, c.number(_ROUNDER))
    r = c.fma(n, c.number(-_LN2_LOW), c.fma(n, c.number(-_LN2_HIGH), x))
    if low is not None:
        r = c.add(r, low)
    return c.bits(shifted), c.fma(c.mul(r, r), c.polynomial(_EXP_SERIES, r), r)


def _scaled_exponential(c: Code, x: str, low: str | None = None) -> str:
    """Return exp(x + low), zero or infinite out of range; wrong for NaN."""
    n, p = _exponential_parts(c, x, low)
    pattern = c.on_bits("add", c.bits(c.add(c.number(1.0), p)), c.on_bits("shl", n, c.integer(52)))
    result = c.select(c.compare("ogt", x, c.number(_LARGEST_EXP)), c.number(math.inf), c.from_bits(pattern))
    return c.select(c.compare("olt", x, c.number(_SMALLEST_EXP)), c.number(0.0), result)


def _exp(c: Code, x: str) -> str:
    return c.select(c.compare("uno", x, x), x, _scaled_exponential(c, x))


def _logarithm_parts(c: Code, x: str) -> tuple[str, str]:
    """Return ln(x) as a sum of two numbers, for normal positive x: x = 2^k m, s = (m - 1) / (m + 1)."""
    shifted = c.on_bits("add", c.bits(x), c.integer(_ONE_BITS - _ROOT_HALF_BITS))
    exponent = c.on_bits("or", c.on_bits("lshr", shifted, c.integer(52)), c.integer(_TWO_52_BITS))
    k = c.sub(c.from_bits(exponent), c.number(2.0**52 + 1023.0))
    fraction = c.on_bits("and", shifted, c.integer(_FRACTION_BITS))
    m = c.from_bits(c.on_bits("add", fraction, c.integer(_ROOT_HALF_BITS)))
    one = c.number(1.0)
    f, d = c.sub(m, one), c.add(m, one)
    d_low = c.sub(m, c.sub(d, one))
    inverse = c.div(one, d)
    s = c.mul(f, inverse)
    rest = c.fma(c.neg(s), d_low, c.fma(c.neg(s), d, f))
    z = c.mul(s, s)
    double, rest = c.add(s, s), c.mul(c.add(rest, rest), inverse)
    small = c.fma(c.mul(s, z), c.polynomial(_LOG_SERIES, z), rest)
    whole = c.mul(k, c.number(_LN2_HIGH))
    high = c.add(whole, double)
    low = c.add(c.sub(whole, high), double)
    return high, c.add(low, c.fma(k, c.number(_LN2_LOW), small))


def _at_the_ends_of_logarithm(c: Code, x: str, result: str) -> str:
    """Put in the values at zero, infinity, negative numbers and NaN."""
    negative = c.compare("olt", x, c.number(0.0))
    below = c.select(negative, c.number(math.nan), c.number(-math.inf))
    result = c.select(c.compare("olt", x, c.number(_SMALLEST_NORMAL)), below, result)
    unchanged = c.both("or", c.compare("oeq", x, c.number(math.inf)), c.compare("uno", x, x))
    return c.select(unchanged, x, result)


def _ln(c: Code, x: str) -> str:
    high, low = _logarithm_parts(c, x)
    return _at_the_ends_of_logarithm(c, x, c.add(high, low))


def _log10(c: Code, x: str) -> str:
    high, low = _logarithm_parts(c, x)
    factor = c.number(_LOG10_E_HIGH)
    product = c.mul(high, factor)
    rest = c.fma(high, factor, c.neg(product))
    rest = c.fma(low, factor, c.fma(high, c.number(_LOG10_E_LOW), rest))
    return _at_the_ends_of_logarithm(c, x, c.add(product, rest))


def _pow(c: Code, x: str, y: str) -> str:
    zero, one, infinite = c.number(0.0), c.number(1.0), c.number(math.inf)
    size = c.intrinsic("fabs", x)
    high, low = _logarithm_parts(c, size)
    product = c.mul(y, high)
    rest = c.fma(y, low, c.fma(y, high, c.neg(product)))
    rest = c.select(c.compare("olt", c.intrinsic("fabs", product), c.number(1000.0)), rest, zero)
    result = _scaled_exponential(c, product, rest)
    rising = c.compare("ogt", y, zero)
    at_zero = c.compare("olt", size, c.number(_SMALLEST_NORMAL))
    at_infinity = c.compare("oeq", size, infinite)
    result = c.select(at_zero, c.select(rising, zero, infinite), result)
    result = c.select(at_infinity, c.select(rising, infinite, zero), result)
    result = c.select(c.compare("oeq", size, one), one, result)
    # A negative base has a power only where the exponent is whole.
    half = c.mul(y, c.number(0.5))
    whole = c.compare("oeq", c.intrinsic("floor", y), y)
    odd = c.both("and", whole, c.compare("une", c.intrinsic("floor", half), half))
    signed = c.select(odd, c.neg(result), result)
    signed = c.select(c.both("or", whole, at_infinity), signed, c.number(math.nan))
    result = c.select(c.compare("olt", x, zero), signed, result)
    result = c.select(c.compare("uno", x, y), c.number(math.nan), result)
    always_one = c.both("or", c.compare("oeq", x, one), c.compare("oeq", y, zero))
    return c.select(always_one, one, result)


def _turn(c: Code, x: str) -> tuple[str, str, str]:
    """Return the quarter turn of an angle (low bits of a pattern) and sine and cosine of the rest."""
    shifted = c.fma(x, c.number(_TWO_BY_PI), c.number(_ROUNDER))
    n = c.sub(shifted, c.number(_ROUNDER))
    first, second, third = (c.number(-part) for part in _HALF_PI)
    r1 = c.fma(n, first, x)
    r2 = c.fma(n, second, r1)
    low = c.fma(n, third, c.fma(n, second, c.sub(r1, r2)))
    r = c.add(r2, low)
    r = c.select(c.compare("olt", c.intrinsic("fabs", x), c.number(_LARGEST_ANGLE)), r, c.number(math.nan))
    z = c.mul(r, r)
    sine = c.fma(c.mul(r, z), c.polynomial(_SIN_SERIES, z), r)
    half = c.mul(z, c.number(0.5))
    near = c.sub(c.number(1.0), half)
    rest = c.sub(c.sub(c.number(1.0), near), half)
    cosine = c.add(near, c.fma(c.mul(z, z), c.polynomial(_COS_SERIES, z), rest))
    return c.bits(shifted), sine, cosine


def _with_sign_of_quarter(c: Code, quarter: str, value: str) -> str:
    """Change the sign where the second lowest bit is set."""
    sign = c.on_bits("shl", c.on_bits("lshr", quarter, c.integer(1)), c.integer(63))
    return c.from_bits(c.on_bits("xor", c.bits(value), sign))


def _is_odd(c: Code, quarter: str) -> str:
    lowest = c.on_bits("and", quarter, c.integer(1))
    return c.put(f"icmp ne {c.whole} {lowest}, {c.integer(0)}")


def _sin(c: Code, x: str) -> str:
    quarter, sine, cosine = _turn(c, x)
    return _with_sign_of_quarter(c, quarter, c.select(_is_odd(c, quarter), cosine, sine))


def _cos(c: Code, x: str) -> str:
    quarter, sine, cosine = _turn(c, x)
    chosen = c.select(_is_odd(c, quarter), sine, cosine)
    return _with_sign_of_quarter(c, c.on_bits("add", quarter, c.integer(1)), chosen)


def _tan(c: Code, x: str) -> str:
    quarter, sine, cosine = _turn(c, x)
    odd = _is_odd(c, quarter)
    return c.div(c.select(odd, c.neg(cosine), sine), c.select(odd, sine, cosine))


def _tanh(c: Code, x: str) -> str:
    """Return (e^2x - 1) / (e^2x + 1), from e^2x - 1 without cancellation."""
    size = c.intrinsic("fabs", x)
    capped = c.select(c.compare("olt", size, c.number(_TANH_IS_ONE)), size, c.number(_TANH_IS_ONE))
    n, p = _exponential_parts(c, c.add(capped, capped))
    scale = c.on_bits("add", c.on_bits("shl", n, c.integer(52)), c.integer(_ONE_BITS))
    scale = c.from_bits(scale)
    grown = c.fma(scale, p, c.sub(scale, c.number(1.0)))
    result = c.intrinsic("copysign", c.div(grown, c.add(grown, c.number(2.0))), x)
    return c.select(c.compare("uno", x, x), x, result)


OWN: dict[str, tuple[int, Callable[..., str]]] = {
    "exp": (1, _exp),
    "ln": (1, _ln),
    "log10": (1, _log10),
    "pow": (2, _pow),
    "sin": (1, _sin),
    "cos": (1, _cos),
    "tan": (1, _tan),
    "tanh": (1, _tanh),
}


def own_function(name: str, lanes: int, *, fused: bool) -> tuple[str, list[str]]:
    """Return the definition of one function for a lane width, and the declarations it needs."""
    code = Code(lanes, fused=fused)
    count, write = OWN[name]
    arguments = [f"%x{k}" for k in range(count)]
    result = write(code, *arguments)
    signature = ", ".join(f"{code.real} {argument}" for argument in arguments)
    lines = "\n".join([*code.lines, f"ret {code.real} {result}"])
    text = f"define internal {code.real} @own_{name}_{lanes}({signature}) alwaysinline nounwind {{\nentry:\n{lines}\n}}"
    return text, list(code.declared)
