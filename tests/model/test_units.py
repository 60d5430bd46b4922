from __future__ import annotations

from dataclasses import replace

import pytest

from regraft.model import check_units, read_antimony
from regraft.model.equations import Equations

UNITS = {
    "m": "mg",
    "m0": "mg",
    "r": "dimensionless",
    "q": "mg",
    "c": "mg/L",
    "v": "L",
    "k": "1/day",
    "n": "dimensionless",
    "t": "day",
    "w": "week",
}
START = "  m0 = 1; c = 1; v = 1; k = 1; n = 1; r = 1; t = 1; w = 1; m = m0; q = m0;\n"


def model(body: str) -> Equations:
    equations = read_antimony(f"model u()\n{START}  {body}\nend\n")
    return replace(
        equations,
        states=tuple(replace(s, unit=UNITS[s.id]) for s in equations.states),
        parameters=tuple(replace(p, unit=UNITS[p.id]) for p in equations.parameters),
        assignments=tuple(replace(a, unit=UNITS[a.id]) for a in equations.assignments),
    )


@pytest.mark.parametrize(
    "body",
    [
        "m' = -k*m + c*v*k;",
        "m' = c*v/t;",
        "m' = 0 - k*max(m, 0);",
        "m' = piecewise(k*m, time > t, 0);",
        "m' = k*m*exp(-k*time)*n^r^0;",
        "q := sqrt(m*m);",
        "q := m^2/m;",
        "q := m^-1*m^2;",
        "n := (m/q)^r;",
        "n := (c*v/m)^0.5 + ln(k*t) + tanh(r);",
        "n := piecewise(1, (m > q) && !(c < m/v), r);",
        "m' = 0; e: at t after (m > q), priority=n: m = m/2 + uniform(m, q), q = poisson(n)*q;",
    ],
)
def test_equations_whose_units_agree_pass(body: str) -> None:
    assert check_units(model(body)) == []


@pytest.mark.parametrize(
    ("body", "where", "message"),
    [
        ("m' = -m;", "d/dt m", "has unit mg where mg / d is expected"),
        ("m' = k*c;", "d/dt m", "where mg / d is expected"),
        ("q := m + c;", "q", "add of mg and mg / l"),
        ("q := c;", "q", "has unit mg / l where mg is expected"),
        ("n := exp(m);", "n", "exp of a quantity in mg"),
        ("n := ln(t);", "n", "ln of a quantity in d"),
        ("n := m/q + t/w;", "n", "add of|has unit"),
        ("q := m^n;", "q", "raised to a power that is not a whole number"),
        ("n := r^m;", "n", "an exponent has a unit"),
        ("q := sqrt(m);", "q", "has unit"),
        ("n := piecewise(1, m > c, 2);", "n", "gt of mg and mg / l"),
        ("q := piecewise(m, n > 1, c);", "q", "piecewise of mg and mg / l"),
        ("n := min(t, w);", "n", "min of d and week"),
        ("q = c;  q' = k*q;", "initial q", "has unit mg / l where mg is expected"),
        ("m' = 0; e: at (m > c): m = q;", "event e, trigger", "gt of mg and mg / l"),
        ("m' = 0; e: at (m > q): m = c;", "event e, m", "has unit mg / l where mg is expected"),
        ("m' = 0; e: at (m > q): m = poisson(m);", "event e, m", "poisson of a quantity in mg"),
        ("m' = 0; e: at m after (m > q): m = q;", "event e, delay", "has unit mg where d is expected"),
        ("m' = 0; e: at (m > q), priority=m: m = q;", "event e, priority", "has unit mg where"),
    ],
)
def test_a_mismatch_is_found_and_the_equation_named(body: str, where: str, message: str) -> None:
    found = {issue.where: issue.message for issue in check_units(model(body))}
    assert list(found) == [where]
    assert any(part in found[where] for part in message.split("|")), found[where]


def test_a_quantity_of_the_same_kind_but_another_size_does_not_agree() -> None:
    assert [issue.where for issue in check_units(model("t := w;"))] == ["t"]


def test_every_mismatch_is_listed_not_only_the_first() -> None:
    assert [issue.where for issue in check_units(model("m' = -m; q := c; n := exp(m);"))] == ["d/dt m", "n", "q"]
