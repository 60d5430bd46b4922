"""Published numbers beside simulated ones: a dot and an interval each, grouped by endpoint."""

from __future__ import annotations

from collections.abc import Sequence

from regraft.evidence.compare import Comparison, number
from regraft.interface.report.charts import COLOURS, INK, Figure, Size, Spec, draw, readable_unit
from regraft.interface.report.data import Arm, ReportData

PUBLISHED, SIMULATED = "Published", "Simulated"
ROW_HEIGHT = 44
ACRONYMS = {
    "neda3": "NEDA-3",
    "edss": "EDSS",
    "t2": "T2",
    "mri": "MRI",
    "cd4": "CD4",
    "cd8": "CD8",
    "nk": "NK",
    "igg": "IgG",
    "b": "B",
    "t": "T",
    "acr20": "ACR20",
    "acr50": "ACR50",
    "acr70": "ACR70",
    "crp": "CRP",
    "das28": "DAS28",
    "esr": "ESR",
    "eular": "EULAR",
    "haq": "HAQ",
    "cdai": "CDAI",
    "gvhd": "GvHD",
    "sharp": "Sharp",
}
PHRASES = {"treatment related": "treatment-related", "naive share fold": "naive share, times baseline"}
COUNTED = ("day", "month", "year")  # units that take an s after any number but one
DAYS_PER_MONTH = 365.25 / 12
LONGEST_IN_DAYS = 12.0  # months up to which a time that is no whole number of months is told in days
SAME_TIME_MONTHS = 0.5  # a published and a simulated time this close are the same visit


def published_figure(data: ReportData) -> Figure:
    """Draw every comparison and put the sentence that judges it in the table."""
    comparisons = data.comparisons
    wide, narrow = draw(lambda size: published_spec(comparisons, data.arms, size), "published")
    rows = tuple(
        (
            endpoint_label(comparison),
            study_label(comparison),
            data.label(comparison.estimate.arm),
            published_text(comparison),
            simulated_text(comparison),
            comparison.sentence,
        )
        for comparison in comparisons
    )
    verdicts = "; ".join(f"{endpoint_label(c)}, {study_label(c)}: {c.verdict}" for c in comparisons)
    return Figure(
        id="published",
        title="Published values beside simulated ones",
        caption=(
            "Bars are 95 % intervals; a published dot without a bar had none. All rows shown were available while the "
            "model was built, so agreement here is a check of the fit, not a prediction."
        ),
        alternative=f"Published and simulated values with 95 % intervals. {verdicts}.",
        wide_svg=wide,
        narrow_svg=narrow,
        header=("Endpoint", "Publication", "Arm", "Published", "Simulated", "Judgement"),
        rows=rows,
    )


def endpoint_label(comparison: Comparison) -> str:
    """Return endpoint and time of a comparison in words."""
    target = comparison.target
    words = in_words(target.endpoint_id)
    words = words[:1].upper() + words[1:]
    return words if target.time_months is None else f"{words}, {time_text(target.time_months)}"


def in_words(name: str) -> str:
    """Return an id such as ``new_t2_lesions`` as a reader writes it: new T2 lesions."""
    words = " ".join(ACRONYMS.get(word, word) for word in name.split("_"))
    for spelt, phrase in PHRASES.items():
        words = words.replace(spelt, phrase)
    return words


def time_text(months: float) -> str:
    """Return a time as a reader says it: 100 days, 12 months, 2 years."""
    if abs(months - round(months)) > 0.05 and months < LONGEST_IN_DAYS:
        return counted(round(months * DAYS_PER_MONTH), "day")
    rounded = round(months, 1)
    return counted(rounded / 12, "year") if rounded >= 24 and rounded % 6 == 0 else counted(rounded, "month")


def counted(value: float, unit: str) -> str:
    """Return a number with a unit of time: 1 day, 2 days."""
    return f"{value:g} {unit}" + ("" if value == 1 else "s")


def amount(value: float, unit: str) -> str:
    """Return a number followed by its unit as a reader writes it."""
    if unit in COUNTED:
        return f"{number(value)} {unit}" + ("" if value == 1 else "s")
    return f"{number(value)} {readable_unit(unit)}".rstrip()


def study_label(comparison: Comparison) -> str:
    """Return study, year and number of patients."""
    target = comparison.target
    year = f" {target.year}" if target.year and str(target.year) not in target.study else ""
    return f"{target.study}{year}" + (f", n = {target.n}" if target.n is not None else "")


def short_study(comparison: Comparison) -> str:
    """Return the name of a study and its year: the author in brackets, or what stands before the brackets."""
    target = comparison.target
    before, _, rest = target.study.partition("(")
    inside = rest.partition(")")[0]
    name = inside if inside[:1].isupper() and " " not in inside else before.strip() or target.study
    return f"{name} {target.year}" if target.year and str(target.year) not in name else name


def published_text(comparison: Comparison) -> str:
    """Return the published value with its interval, or with what it gives in its place."""
    target = comparison.target
    value = amount(target.value, target.unit)
    if target.lower is None or target.upper is None:
        return f"{value} (no interval)"
    kind = "" if target.interval_type == "CI95" else f"; {target.interval_type}"
    return f"{value} ({number(target.lower)} to {number(target.upper)}{kind})"


def simulated_text(comparison: Comparison) -> str:
    """Return the simulated value with its interval and number of patients, and its time where that is another."""
    estimate = comparison.estimate
    value = amount(estimate.value, estimate.unit)
    other = other_time(comparison)
    told = f"; {other}" if other else ""
    if estimate.lower is None or estimate.upper is None:
        return f"{value} (n = {estimate.n}{told})"
    return f"{value} ({number(estimate.lower)} to {number(estimate.upper)}; n = {estimate.n}{told})"


def other_time(comparison: Comparison) -> str:
    """Return the time of the simulated value where it differs from the published one, else nothing."""
    published, simulated = comparison.target.time_months, comparison.estimate.time_months
    if published is None or simulated is None or abs(published - simulated) <= SAME_TIME_MONTHS:
        return ""
    return f"over {time_text(simulated)}"


def published_spec(comparisons: Sequence[Comparison], arms: Sequence[Arm], size: Size) -> Spec:
    """Return the Vega-Lite specification: one panel per unit, two dots per row."""
    units = list(dict.fromkeys(comparison.target.unit for comparison in comparisons))
    labels = {arm.id: arm.label for arm in arms}
    panels = [_panel([c for c in comparisons if c.target.unit == unit], labels, unit, size) for unit in units]
    return {"vconcat": panels, "spacing": 20}


def _panel(comparisons: Sequence[Comparison], labels: dict[str, str], unit: str, size: Size) -> Spec:
    """Return the panel of one unit; each row's name stands above its dots so that it fits a telephone."""
    order = [comparison.target.id for comparison in comparisons]
    values = [row for comparison in comparisons for row in _points(comparison, labels, size)]
    row = {"field": "id", "type": "nominal", "sort": order, "axis": None, "scale": {"paddingInner": 0}}
    scale = {"domain": [PUBLISHED, SIMULATED], "range": [INK, COLOURS[0]]}
    legend = {"symbolSize": 90, "symbolStrokeWidth": 0}
    colour = {"field": "kind", "type": "nominal", "scale": scale, "legend": legend}
    x = {
        "type": "quantitative",
        "scale": {"zero": True, "nice": True},
        "axis": {"title": unit_axis(unit), "tickCount": 4 if size.is_narrow else 8},
    }
    mark = {"type": "text", "align": "left", "baseline": "middle", "fontSize": 11.5, "color": INK}
    return {
        "width": size.width - 40,
        "height": ROW_HEIGHT * len(order),
        "data": {"values": values},
        "encoding": {"y": row},
        "layer": [
            {
                "transform": [{"filter": f"datum.kind == '{PUBLISHED}'"}],
                "mark": {**mark, "x": 0, "yOffset": -13, "limit": size.width - 44},
                "encoding": {"text": {"field": "name"}},
            },
            *[layer for kind, offset in ((PUBLISHED, 2), (SIMULATED, 12)) for layer in _dot(kind, offset, x, colour)],
        ],
    }


def _dot(kind: str, offset: int, x: Spec, colour: Spec) -> list[Spec]:
    """Return interval and dot of one kind, shifted down from the middle of the row."""
    only = [{"filter": f"datum.kind == '{kind}'"}]
    shapes = {"domain": [PUBLISHED, SIMULATED], "range": ["diamond", "circle"]}
    return [
        {
            "transform": only,
            "mark": {"type": "rule", "strokeWidth": 2, "yOffset": offset},
            "encoding": {"x": {"field": "lower", **x}, "x2": {"field": "upper"}, "stroke": colour},
        },
        {
            "transform": only,
            "mark": {"type": "point", "filled": True, "opacity": 1, "size": 70, "yOffset": offset},
            "encoding": {
                "x": {"field": "value", **x},
                "fill": colour,
                "shape": {"field": "kind", "type": "nominal", "scale": shapes},
            },
        },
    ]


def _points(comparison: Comparison, labels: dict[str, str], size: Size) -> list[Spec]:
    """Return the published and the simulated dot of one row."""
    target, estimate = comparison.target, comparison.estimate
    arm = labels.get(estimate.arm, estimate.arm)
    name = f"{endpoint_label(comparison)} · {arm}" + ("" if size.is_narrow else f" · {study_label(comparison)}")
    has_bounds = target.has_confidence_interval
    published = {
        "value": target.value,
        "lower": target.lower if has_bounds else None,
        "upper": target.upper if has_bounds else None,
    }
    simulated = {"value": estimate.value, "lower": estimate.lower, "upper": estimate.upper}
    return [
        {"id": target.id, "name": name, "kind": PUBLISHED, **published},
        {"id": target.id, "name": name, "kind": SIMULATED, **simulated},
    ]


def unit_axis(unit: str) -> str:
    """Return the title of a value axis in words."""
    words = {"%": "Per cent of patients", "percent": "Per cent", "dimensionless": "Ratio or count", "edss": "EDSS"}
    return words.get(unit, readable_unit(unit))
