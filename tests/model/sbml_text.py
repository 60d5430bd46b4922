"""SBML documents put together from fragments."""

from __future__ import annotations

MATH = 'xmlns="http://www.w3.org/1998/Math/MathML"'
LEVELS = {
    "3.2": ('xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2"'),
    "3.1": ('xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1"'),
    "2.4": ('xmlns="http://www.sbml.org/sbml/level2/version4" level="2" version="4"'),
}
X = '<listOfParameters><parameter id="x" value="1" constant="false"/></listOfParameters>'


def document(*parts: str, level: str = "3.2", attributes: str = "") -> str:
    """Return an SBML document whose model holds the fragments."""
    head = f'<?xml version="1.0" encoding="UTF-8"?><sbml {LEVELS[level]}>'
    return f'{head}<model id="m" {attributes}>{"".join(parts)}</model></sbml>'


def rate_rule(mathml: str, variable: str = "x") -> str:
    """Return a list with one rate rule."""
    return f'<listOfRules><rateRule variable="{variable}"><math {MATH}>{mathml}</math></rateRule></listOfRules>'


def function(name: str, body: str) -> str:
    """Return the definition of a function of ``a``."""
    return (
        f'<functionDefinition id="{name}"><math {MATH}><lambda><bvar><ci>a</ci></bvar>{body}</lambda></math>'
        "</functionDefinition>"
    )
