"""Calls from numba into compiled model functions by address, and a counter that threads share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from regraft.engine.emit import FUNCTIONS

CONSTANTS = FUNCTIONS.index("constants")
RATES = FUNCTIONS.index("rates")
TRIGGERS = FUNCTIONS.index("triggers")
GUARDS = FUNCTIONS.index("guards")
PRIORITIES = FUNCTIONS.index("priorities")
OUTPUTS = FUNCTIONS.index("outputs")
STOPS = FUNCTIONS.index("stops")
REDUCED = FUNCTIONS.index("reduced")
INITIAL_ARGUMENTS = FUNCTIONS.index("initial_arguments")
INITIAL_VALUE = FUNCTIONS.index("initial_value")
EVENT_ARGUMENTS = FUNCTIONS.index("event_arguments")
EVENT_VALUES = FUNCTIONS.index("event_values")
STEP_ALL = FUNCTIONS.index("step")
KEEP = FUNCTIONS.index("keep")
PREPARE_OUTPUTS = FUNCTIONS.index("prepare_outputs")
SHOW = FUNCTIONS.index("show")
FLUSH_ON = FUNCTIONS.index("flush_on")
FLUSH_OFF = FUNCTIONS.index("flush_off")


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
def call_block(typing: Any, address: Any, block: Any) -> Any:
    """Call ``void f(ptr m)`` at an address with the memory of a contiguous array."""
    signature = types.void(types.int64, block)

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        pointer = ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [pointer])
        data = builder.bitcast(context.make_array(block)(context, builder, values[1]).data, pointer)
        builder.call(builder.inttoptr(values[0], kind.as_pointer()), [data])
        return context.get_dummy_value()

    return signature, generate


@_intrinsic
def next_number(typing: Any, counter: Any) -> Any:
    """Return the number in an array of one and raise it by one, undisturbed by other threads."""
    signature = types.int64(counter)

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        place = context.make_array(counter)(context, builder, values[0]).data
        return builder.atomic_rmw("add", place, ir.Constant(ir.IntType(64), 1), "seq_cst")

    return signature, generate
