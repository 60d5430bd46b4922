"""Calls from numba into compiled model functions by address."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from regraft.engine.emit import FUNCTIONS

CONSTANTS = FUNCTIONS.index("constants")
RATES = FUNCTIONS.index("rates")
JACOBIAN = FUNCTIONS.index("jacobian")
FACTOR = FUNCTIONS.index("factor")
SUBSTITUTE = FUNCTIONS.index("substitute")
TRIGGERS = FUNCTIONS.index("triggers")
PRIORITIES = FUNCTIONS.index("priorities")
OUTPUTS = FUNCTIONS.index("outputs")
INITIAL_ARGUMENTS = FUNCTIONS.index("initial_arguments")
INITIAL_VALUE = FUNCTIONS.index("initial_value")
EVENT_ARGUMENTS = FUNCTIONS.index("event_arguments")
EVENT_VALUES = FUNCTIONS.index("event_values")


# numba's own annotation shows the compile-time arguments, not those of the call
_intrinsic: Callable[[Callable[..., Any]], Any] = intrinsic


@_intrinsic
def call(typing: Any, address: Any, index: Any, x: Any, y: Any, c: Any, a: Any, b: Any) -> Any:
    """Call ``void f(i64 index, double x, ptr y, ptr c, ptr a, ptr b)`` at an address; arrays must be contiguous."""
    arrays = (y, c, a, b)
    if not all(isinstance(array, types.Array) and array.dtype == types.float64 for array in arrays):
        return None
    signature = types.void(types.int64, types.int64, types.float64, *arrays)

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        pointer = ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [ir.IntType(64), ir.DoubleType(), *[pointer] * 4])
        data = [
            builder.bitcast(context.make_array(array)(context, builder, value).data, pointer)
            for array, value in zip(arrays, values[3:], strict=True)
        ]
        builder.call(builder.inttoptr(values[0], kind.as_pointer()), [values[1], values[2], *data])
        return context.get_dummy_value()

    return signature, generate


@_intrinsic
def borrow(typing: Any, group: Any) -> Any:
    """Return a named tuple whose arrays are not counted as owned; the caller must keep the originals alive.

    Numba counts owners of every array at each call; with some fifty arrays that took half the time of a step.
    """
    members = list(group)

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        result = values[0]
        for place, member in enumerate(members):
            if isinstance(member, types.Array):
                array = context.make_array(member)(context, builder, builder.extract_value(result, place))
                array.meminfo = ir.Constant(array.meminfo.type, None)
                array.parent = ir.Constant(array.parent.type, None)
                result = builder.insert_value(result, array._getvalue(), place)
        return result

    return group(group), generate
