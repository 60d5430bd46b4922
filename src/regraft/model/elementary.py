"""Functions of SBML that the engine has no instruction for, written out with those it has."""

from __future__ import annotations

import math
from collections.abc import Callable

from regraft.model.expressions import Apply, Expression, Number

_ZERO, _ONE, _TWO = Number(0.0), Number(1.0), Number(2.0)
_HALF_PI = Number(math.pi / 2)
# Above this the square of a number overflows or adds nothing to one.
_LARGE = Number(1e8)
# Beyond 170! a double overflows.
_LARGEST_FACTORIAL = 170
# Inverse tangent on |x| <= tan(pi/8): x + x z P(z)/Q(z) with z = x^2, highest power first. The coefficients are those
# of atan in the public Cephes library (S. Moshier); largest relative error 2e-16.
_ATAN_P = (
    -8.750608600031904122785e-1,
    -1.615753718733365076637e1,
    -7.500855792314704667340e1,
    -1.228866684490136173410e2,
    -6.485021904942025371773e1,
)
_ATAN_Q = (
    1.0,
    2.485846490142306297962e1,
    1.650270098316988542046e2,
    4.328810604912902668951e2,
    4.853903996359136964868e2,
    1.945506571482613964425e2,
)
_TAN_3_PI_8 = Number(2.414213562373095)
_TAN_PI_8 = Number(0.41421356237309503)


def _apply(operation: str) -> Callable[..., Expression]:
    """Return a builder of one operation."""
    return lambda *arguments: Apply(operation, arguments)


_add, _sub, _mul, _div, _neg = (_apply(name) for name in ("add", "sub", "mul", "div", "neg"))
_exp, _ln, _root, _abs = (_apply(name) for name in ("exp", "ln", "sqrt", "abs"))
_less, _choose = _apply("lt"), _apply("piecewise")


def truncated(x: Expression) -> Expression:
    """Return the whole part of a number, towards zero."""
    return _choose(Apply("ceil", (x,)), _less(x, _ZERO), Apply("floor", (x,)))


def quotient(a: Expression, b: Expression) -> Expression:
    """Return the whole part of a / b, towards zero."""
    return truncated(_div(a, b))


def remainder(a: Expression, b: Expression) -> Expression:
    """Return what is left of a after whole multiples of b; it has the sign of a."""
    return _sub(a, _mul(b, quotient(a, b)))


def factorial(x: Expression) -> Expression:
    """Return x! for whole numbers up to 170; infinite above and not a number elsewhere."""
    if isinstance(x, Number) and x.value.is_integer() and 0 <= x.value <= _LARGEST_FACTORIAL:
        return Number(float(math.factorial(int(x.value))))
    arguments: list[Expression] = []
    for n in range(_LARGEST_FACTORIAL + 1):
        arguments += [Number(float(math.factorial(n))), Apply("eq", (x, Number(float(n))))]
    arguments += [Number(math.inf), Apply("gt", (x, Number(float(_LARGEST_FACTORIAL)))), Number(math.nan)]
    return Apply("piecewise", tuple(arguments))


def _sinh(x: Expression) -> Expression:
    # near zero the difference of two exponentials loses digits; tanh does not
    small = _mul(Apply("tanh", (x,)), _cosh(x))
    return _choose(small, _less(_abs(x), _ONE), _div(_sub(_exp(x), _exp(_neg(x))), _TWO))


def _cosh(x: Expression) -> Expression:
    return _div(_add(_exp(x), _exp(_neg(x))), _TWO)


def _polynomial(z: Expression, coefficients: tuple[float, ...]) -> Expression:
    result: Expression = Number(coefficients[0])
    for coefficient in coefficients[1:]:
        result = _add(_mul(result, z), Number(coefficient))
    return result


def _atan(x: Expression) -> Expression:
    size = _abs(x)
    far, middle = _less(_TAN_3_PI_8, size), _less(_TAN_PI_8, size)
    reduced = _choose(_div(Number(-1.0), size), far, _div(_sub(size, _ONE), _add(size, _ONE)), middle, size)
    start = _choose(_HALF_PI, far, Number(math.pi / 4), middle, _ZERO)
    z = _mul(reduced, reduced)
    inner = _div(_mul(z, _polynomial(z, _ATAN_P)), _polynomial(z, _ATAN_Q))
    value = _add(start, _add(_mul(reduced, inner), reduced))
    return _choose(_neg(value), _less(x, _ZERO), value)


def _asin(x: Expression) -> Expression:
    return _atan(_div(x, _root(_mul(_sub(_ONE, x), _add(_ONE, x)))))


def _acos(x: Expression) -> Expression:
    # half angles keep the digits near one
    half = _atan(_root(_div(_sub(_ONE, x), _add(_ONE, x))))
    return _mul(_TWO, half)


def _asinh(x: Expression) -> Expression:
    size = _abs(x)
    inner = _ln(_add(size, _root(_add(_mul(size, size), _ONE))))
    value = _choose(_add(_ln(size), Number(math.log(2.0))), _less(_LARGE, size), inner)
    return _choose(_neg(value), _less(x, _ZERO), value)


def _acosh(x: Expression) -> Expression:
    inner = _ln(_add(x, _root(_mul(_sub(x, _ONE), _add(x, _ONE)))))
    return _choose(_add(_ln(x), Number(math.log(2.0))), _less(_LARGE, x), inner)


def _atanh(x: Expression) -> Expression:
    return _mul(Number(0.5), _ln(_div(_add(_ONE, x), _sub(_ONE, x))))


def _reciprocal(x: Expression) -> Expression:
    return _div(_ONE, x)


def _acot(x: Expression) -> Expression:
    # arccot(0) is pi/2, where 1/x would be infinite
    return _choose(_HALF_PI, Apply("eq", (x, _ZERO)), _atan(_reciprocal(x)))


_sin, _cos, _tan, _tanh = (_apply(name) for name in ("sin", "cos", "tan", "tanh"))

ELEMENTARY: dict[str, Callable[[Expression], Expression]] = {
    "sinh": _sinh,
    "cosh": _cosh,
    "sec": lambda x: _reciprocal(_cos(x)),
    "csc": lambda x: _reciprocal(_sin(x)),
    "cot": lambda x: _reciprocal(_tan(x)),
    "sech": lambda x: _reciprocal(_cosh(x)),
    "csch": lambda x: _reciprocal(_sinh(x)),
    "coth": lambda x: _reciprocal(_tanh(x)),
    "arcsin": _asin,
    "arccos": _acos,
    "arctan": _atan,
    "arcsec": lambda x: _acos(_reciprocal(x)),
    "arccsc": lambda x: _asin(_reciprocal(x)),
    "arccot": _acot,
    "arcsinh": _asinh,
    "arccosh": _acosh,
    "arctanh": _atanh,
    "arcsech": lambda x: _acosh(_reciprocal(x)),
    "arccsch": lambda x: _asinh(_reciprocal(x)),
    "arccoth": lambda x: _atanh(_reciprocal(x)),
    "factorial": factorial,
}
