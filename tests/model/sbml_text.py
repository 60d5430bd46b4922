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


def math(body: str) -> str:
    """Return MathML around a formula."""
    return f"<math {MATH}>{body}</math>"


def number(value: float) -> str:
    """Return a number."""
    return f"<cn>{value!r}</cn>"


def apply(operation: str, *arguments: str) -> str:
    """Return an operation; an argument without a bracket is a symbol."""
    parts = [part if part.startswith("<") else f"<ci>{part}</ci>" for part in arguments]
    return f"<apply><{operation}/>{''.join(parts)}</apply>"


def csymbol(name: str) -> str:
    """Return a csymbol such as time or rateOf."""
    return f'<csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/{name}">{name}</csymbol>'


TIME = csymbol("time")


def parameters(**values: float | None) -> str:
    """Return parameters that may change; None leaves the value out."""
    rows = "".join(
        f'<parameter id="{name}" {"" if value is None else f"value={chr(34)}{value!r}{chr(34)}"} constant="false"/>'
        for name, value in values.items()
    )
    return f"<listOfParameters>{rows}</listOfParameters>"


def compartment(size: float | None = 1.0, *, dimensions: int = 3, name: str = "c") -> str:
    """Return a compartment that may change its size."""
    given = "" if size is None else f'size="{size!r}"'
    row = f'<compartment id="{name}" {given} spatialDimensions="{dimensions}" constant="false"/>'
    return f"<listOfCompartments>{row}</listOfCompartments>"


def species(initial: str, *, name: str = "s", amounts: bool = False, boundary: bool = False) -> str:
    """Return a species in compartment c; ``initial`` is an attribute such as initialAmount="1"."""
    return (
        f'<listOfSpecies><species id="{name}" compartment="c" {initial} hasOnlySubstanceUnits="{str(amounts).lower()}" '
        f'boundaryCondition="{str(boundary).lower()}" constant="false"/></listOfSpecies>'
    )


def rules(**formulas: tuple[str, str]) -> str:
    """Return rules: id = (kind, MathML), kind is rate or assignment."""
    rows = "".join(
        f'<{kind}Rule variable="{name}">{math(body)}</{kind}Rule>' for name, (kind, body) in formulas.items()
    )
    return f"<listOfRules>{rows}</listOfRules>"


def initial_assignments(**formulas: str) -> str:
    """Return initial assignments: id = MathML."""
    rows = "".join(
        f'<initialAssignment symbol="{name}">{math(body)}</initialAssignment>' for name, body in formulas.items()
    )
    return f"<listOfInitialAssignments>{rows}</listOfInitialAssignments>"


def production(rate: str, reference: str = 'stoichiometry="1"', inner: str = "") -> str:
    """Return a reaction r that makes species s."""
    made = f'<speciesReference species="s" constant="false" {reference}>{inner}</speciesReference>'
    law = f"<kineticLaw>{math(rate)}</kineticLaw>"
    return (
        f'<listOfReactions><reaction id="r" reversible="false"><listOfProducts>{made}</listOfProducts>{law}'
        "</reaction></listOfReactions>"
    )


def event(
    trigger: str, *, name: str = "e", options: str = "", inner: str = "", trigger_values: bool = True, **new: str
) -> str:
    """Return an event: its trigger, attributes of the trigger, delay or priority, and new values as MathML."""
    changes = "".join(
        f'<eventAssignment variable="{target}">{math(body)}</eventAssignment>' for target, body in new.items()
    )
    options = options or 'initialValue="true" persistent="true"'
    head = f'<event id="{name}" useValuesFromTriggerTime="{str(trigger_values).lower()}">'
    changed = f"<listOfEventAssignments>{changes}</listOfEventAssignments>"
    return f"{head}<trigger {options}>{math(trigger)}</trigger>{inner}{changed}</event>"


def events(*rows: str) -> str:
    """Return a list of events."""
    return f"<listOfEvents>{''.join(rows)}</listOfEvents>"


def delay(body: str) -> str:
    """Return the delay of an event."""
    return f"<delay>{math(body)}</delay>"


def priority(body: str) -> str:
    """Return the priority of an event."""
    return f"<priority>{math(body)}</priority>"


def after(moment: float) -> str:
    """Return the trigger "the time has passed a moment"."""
    return apply("geq", TIME, number(moment))
