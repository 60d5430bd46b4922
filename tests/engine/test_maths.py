"""Our own mathematical functions: accuracy, special values, and the same bits in every lane width."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from regraft.engine.instructions import Code
from regraft.engine.machine import load_machine_code
from regraft.engine.maths import OWN, own_function

WIDTHS = (8, 4, 2, 1)
NUMPY = {
    "exp": np.exp,
    "ln": np.log,
    "log10": np.log10,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "tanh": np.tanh,
    "pow": np.power,
}


def evaluate(name, *arguments, lanes=8, fused=True):
    """Compute one of our functions for many numbers, ``lanes`` at a time."""
    size = arguments[0].size
    padded = -(-size // lanes) * lanes
    blocks = [np.zeros(padded + 8) for _ in range(3)]
    aligned = []
    for block in blocks:
        start = (-(block.ctypes.data // 8)) % 8
        aligned.append(block[start : start + padded])
    for place, values in zip(aligned, arguments, strict=False):
        place[:size] = values
    code = Code(lanes, fused=fused)

    def body(index):
        values = [code.load(f"%a{k}", index) for k in range(OWN[name][0])]
        code.store(code.call(name, *values), "%out", index)

    code.loop(padded // lanes, body)
    text, declared = own_function(name, lanes, fused=fused)
    lines = "\n".join(["entry:", *code.lines, "ret void"])
    module = f"{text}\ndefine void @all(ptr %a0, ptr %a1, ptr %out) {{\n{lines}\n}}"
    engine = load_machine_code("\n".join([*declared, module]))
    function = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 3)(engine.get_function_address("all"))
    function(*(block.ctypes.data for block in aligned))
    return aligned[2][:size].copy()


def units_in_the_last_place(got, expected):
    return np.abs(got - expected) / np.spacing(np.abs(expected.astype(np.float64)))


def points(name, count=1_000_000):
    random = np.random.default_rng(4)
    wide_and_near_one = [np.exp(random.uniform(-690, 690, count // 2)), random.uniform(0.5, 2, count // 2)]
    spread = {
        "exp": lambda: random.uniform(-700, 700, count),
        "ln": lambda: np.concatenate(wide_and_near_one),
        "log10": lambda: np.concatenate(wide_and_near_one),
        "sin": lambda: random.uniform(-1000, 1000, count),
        "cos": lambda: random.uniform(-1000, 1000, count),
        "tan": lambda: random.uniform(-1000, 1000, count),
        "tanh": lambda: random.normal(0, 3, count) * random.uniform(0, 1, count) ** 8,
    }
    return spread[name]()


# numpy in doubles is itself wrong by 1.6 units on some processors; its long doubles are not where they are longer
@pytest.mark.parametrize(
    ("name", "bound"),
    [("exp", 1.5), ("ln", 1.5), ("log10", 1.5), ("sin", 1.6), ("cos", 1.6), ("tan", 3.0), ("tanh", 3.0)],
)
def test_functions_agree_with_numpy_to_the_last_places(name, bound):
    x = points(name)
    exact = NUMPY[name](x.astype(np.longdouble))
    assert units_in_the_last_place(evaluate(name, x), exact).max() <= bound


def test_power_agrees_with_numpy():
    random = np.random.default_rng(5)
    x, y = np.exp(random.normal(0, 3, 1_000_000)), random.uniform(-8, 8, 1_000_000)
    np.testing.assert_allclose(evaluate("pow", x, y), np.power(x, y), rtol=1e-15)


@pytest.mark.parametrize("name", [name for name in OWN if name != "pow"])
def test_special_values_are_those_of_numpy(name):
    x = np.array([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e-300, -1e-300, 1e-9, 30.0, -30.0, 709.0, -708.0])
    x = np.concatenate([x, [1000.0, -1000.0, 1e5, 10.0, 1e-5, 1e300]])
    if name in ("sin", "cos", "tan"):
        x = x[~(np.abs(x) > 1e15)]
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(evaluate(name, x), NUMPY[name](x), rtol=4e-16)


def test_circular_functions_of_no_angle_are_no_number():
    x = np.array([np.inf, -np.inf, np.nan, 1e16, 1e300])
    for name in ("sin", "cos", "tan"):
        assert np.isnan(evaluate(name, x)).all()


def test_special_powers_are_those_of_numpy():
    bases = [0.0, 1.0, -1.0, 2.0, -2.0, -0.5, 0.5, np.inf, -np.inf, np.nan, 1e-200, 1e200]
    exponents = [0.0, 1.0, -1.0, 2.0, 3.0, -3.0, 0.5, -0.5, 2.5, np.inf, -np.inf, np.nan, 100.0, 101.0, 1e17]
    x, y = (grid.ravel() for grid in np.meshgrid(bases, exponents))
    with np.errstate(all="ignore"):
        expected = np.power(x, y)
    np.testing.assert_allclose(evaluate("pow", x, y), expected, rtol=1e-15)


def test_whole_powers_of_ten_have_whole_logarithms():
    x = 10.0 ** np.arange(-20, 23)
    np.testing.assert_array_equal(evaluate("log10", x), np.arange(-20, 23))


@pytest.mark.parametrize("name", sorted(OWN))
@pytest.mark.parametrize("fused", [True, False])
def test_every_lane_width_gives_the_same_bits(name, fused):
    random = np.random.default_rng(6)
    x = np.concatenate([random.normal(0, 20, 5000), [0.0, -1.0, np.inf, np.nan, 1e-310, 800.0]])
    arguments = (x, random.normal(0, 5, x.size)) if OWN[name][0] == 2 else (x,)
    first, *others = (evaluate(name, *arguments, lanes=lanes, fused=fused) for lanes in WIDTHS)
    for other in others:
        np.testing.assert_array_equal(np.isnan(first), np.isnan(other))
        known = ~np.isnan(first)
        np.testing.assert_array_equal(first[known].view(np.int64), other[known].view(np.int64))
