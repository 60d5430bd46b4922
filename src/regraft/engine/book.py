"""Where the compiled driver finds its arrays: a book of addresses, so that every function takes one argument for all.

Numba passes an array as seven numbers and compiles each function anew inside its callers. With some fifty arrays that
made the first run of a new installation wait a minute. A page of the book holds the address and the shape of an array;
``floats(book, Y)`` gives the array back. Nothing counts owners: who makes a book keeps its arrays (``Book``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic
from numba.np import arrayobj
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Of the model and the call.
(
    ADDRESSES,
    LAYOUT,
    COUNTS,
    NUMBERS,
    ATOL,
    DENSE_WEIGHTS,
    INITIAL_TARGETS,
    INITIAL_CODES,
    INITIAL_CODE_COUNTS,
    INITIAL_STREAMS,
    TARGETS,
    TARGET_COUNTS,
    CODES,
    CODE_COUNTS,
    STREAMS,
    INITIALLY_TRUE,
    PERSISTENT,
    TRIGGER_VALUES,
    TERMINAL,
    WATCHED,
    REDUCTION_KINDS,
    REDUCTION_THRESHOLDS,
) = range(22)
# Of all patients, by row.
(
    ORDER,
    IDS,
    PARAMETERS,
    TIMES,
    TIME_COUNTS,
    SCHEDULE_FROM,
    SCHEDULE_TIME,
    SCHEDULE_KIND,
    SCHEDULE_INDEX,
    SCHEDULE_AMOUNT,
    RECORDED,
    END_Y,
    END_PARAMETERS,
    END_TRUTH,
    END_OCCURRENCE,
    END_STEP,
    END_TIME,
    END_STATUS,
    END_STEPS,
    END_CULPRIT,
    END_RATE,
    COUNTER,
    TAPE,
    TAPE_LENGTH,
    END_REDUCED,
) = range(22, 47)
# Of one thread: the block for the vector functions, and what each lane keeps, by lane.
(
    BLOCK,
    ROW,
    KEPT,
    SHOWN,
    INFUSION,
    INFUSIONS,
    CONSTANT_TABLE,
    OCCURRENCE,
    COUNTERS,
    CLOCK,
    STOP_TIMES,
    LANE_LOG_EVENT,
    LANE_LOG_TIME,
    LOG_PATIENT,
    LOG_EVENT,
    LOG_TIME,
    LOG_COUNT,
) = range(47, 64)
# Of one thread: scratch for the patient that is being served.
(
    Y,
    NEW,
    BETWEEN,
    RATE,
    DENSE,
    TRUTH,
    FRESH,
    BROKEN,
    GAPS,
    PENDING,
    VALUES,
    ARGUMENTS,
    DRAWN,
    PRIORITY,
    NOTHING,
    REDUCED_NOW,
    REDUCED_SAMPLES,
) = range(64, 81)
PAGES = 81
_SLOTS = 3  # address, length, width

# numba's own annotation shows the compile-time arguments, not those of the call
_intrinsic: Callable[[Callable[..., Any]], Any] = intrinsic
_populate: Callable[..., None] = arrayobj.populate_array


@dataclass(frozen=True)
class Book:
    """The pages as the driver reads them, and the arrays they point to, which must live as long."""

    pages: Integers
    arrays: Mapping[int, Floats | Integers]


def make_book(*groups: Mapping[int, Floats | Integers]) -> Book:
    """Return the book of some arrays of one or two dimensions, all contiguous and of eight bytes a number."""
    arrays = {page: array for group in groups for page, array in group.items()}
    assert sorted(arrays) == list(range(PAGES)), "a page is missing"
    pages = np.zeros(_SLOTS * PAGES, dtype=np.int64)
    for page, array in arrays.items():
        assert array.flags.c_contiguous
        assert array.itemsize == 8
        width = array.shape[1] if array.ndim == 2 else 1
        pages[_SLOTS * page : _SLOTS * (page + 1)] = array.ctypes.data, array.shape[0], width
    return Book(pages, arrays)


def _slot(context: Any, builder: Any, book: Any, page: Any, place: int) -> Any:
    """Return one number of a page."""
    whole = ir.IntType(64)
    index = builder.add(builder.mul(page, ir.Constant(whole, _SLOTS)), ir.Constant(whole, place))
    return builder.load(builder.gep(book, [index]))


def _array(kind: Any, dimensions: int, *, row: bool = False) -> Callable[..., Any]:
    """Return the making of an intrinsic that opens a page as an array, or as one row of a matrix."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        book = context.make_array(signature.args[0])(context, builder, values[0]).data
        address, length, width = (_slot(context, builder, book, values[1], place) for place in range(_SLOTS))
        eight = ir.Constant(ir.IntType(64), 8)
        across = builder.mul(width, eight)
        if row:
            address, length = builder.add(address, builder.mul(values[2], across)), width
        result = context.make_array(signature.return_type)(context, builder)
        _populate(
            result,
            data=builder.inttoptr(address, result.data.type),
            shape=[length] if dimensions == 1 else [length, width],
            strides=[eight] if dimensions == 1 else [across, eight],
            itemsize=eight,
            meminfo=None,
        )
        return result._getvalue()

    array = types.Array(kind, dimensions, "C")
    whole = types.int64
    return lambda book: (array(book, whole, whole) if row else array(book, whole), generate)


@_intrinsic
def floats(typing: Any, book: Any, page: Any) -> Any:
    """Open a page as a vector of floats."""
    return _array(types.float64, 1)(book)


@_intrinsic
def integers(typing: Any, book: Any, page: Any) -> Any:
    """Open a page as a vector of integers."""
    return _array(types.int64, 1)(book)


@_intrinsic
def matrix(typing: Any, book: Any, page: Any) -> Any:
    """Open a page as a matrix of floats."""
    return _array(types.float64, 2)(book)


@_intrinsic
def integer_matrix(typing: Any, book: Any, page: Any) -> Any:
    """Open a page as a matrix of integers."""
    return _array(types.int64, 2)(book)


@_intrinsic
def floats_of(typing: Any, book: Any, page: Any, row: Any) -> Any:
    """Open one row of a matrix of floats."""
    return _array(types.float64, 1, row=True)(book)


@_intrinsic
def integers_of(typing: Any, book: Any, page: Any, row: Any) -> Any:
    """Open one row of a matrix of integers."""
    return _array(types.int64, 1, row=True)(book)
