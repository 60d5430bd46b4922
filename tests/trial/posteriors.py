"""Made-up posterior draws of three parameters, as a fit would store them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

# Not the values of the catalog, so that it makes a difference who decides them.
PARAMETERS: Mapping[str, tuple[str, float]] = {
    "k_lesion": ("1/day", 0.01),
    "relapse_share": ("dimensionless", 0.1),
    "drive.spread": ("dimensionless", 0.2),
}
VALUES = {name: value for name, (_, value) in PARAMETERS.items()}
CENTRAL = 57


def write_posterior(
    folder: Path,
    *,
    draws: int = 200,
    parameters: Mapping[str, tuple[str, float]] = PARAMETERS,
    others: Mapping[str, float] | None = None,
    seed: int = 1,
) -> Path:
    """Write draws around given values of some parameters, one in five apart, and return their folder.

    ``others`` are values of all draws but number 57, which is in the middle.
    """
    chance = np.random.default_rng(seed)
    lines = [",".join(("draw", *parameters))]
    for draw in range(draws):
        factors = np.exp(chance.normal(0, 0.0 if draw == CENTRAL else 0.2, len(parameters)))
        values = {name: value * factor for (name, (_, value)), factor in zip(parameters.items(), factors, strict=True)}
        values |= (others or {}) if draw != CENTRAL else {}
        lines.append(",".join((str(draw), *(f"{value:.9g}" for value in values.values()))))
    table = "\n".join(lines) + "\n"
    entry = [
        'id = "made_up"',
        'name = "Made up"',
        'version = "0.1.0"',
        'status = "draft"',
        "[fit]",
        "seed = 1",
        'model = "none"',
        'rows = ["a_row"]',
        'sources = ["kish_1965"]',
        f'sha256 = "{hashlib.sha256(table.encode()).hexdigest()}"',
        "not_identified = []",
        "[units]",
        *(f'"{name}" = "{unit}"' for name, (unit, _) in parameters.items()),
        "[central]",
        *(f'"{name}" = {value:.9g}' for name, (_, value) in parameters.items()),
        "[contraction]",
        *(f'"{name}" = 0.5' for name in parameters),
    ]
    folder.mkdir(parents=True)
    (folder / "draws.csv").write_text(table, encoding="utf-8")
    (folder / "entry.toml").write_text("\n".join(entry) + "\n", encoding="utf-8")
    return folder
