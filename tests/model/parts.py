"""Small model parts on disk, laid out like entries of the catalog."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from regraft.model import Part, load_part
from regraft.model.parameter_table import COLUMNS

ENTRY = 'id = "{id}"\nname = "{id}"\nversion = "1"\nstatus = "draft"\nlimits = ["for tests"]\n'
MODEL = "model tank()\n  level = level_start;\n  level' = supply - k_loss*level;\n  share := level/level_start;\nend\n"
COLUMNS_OF_QUANTITIES = "id,kind,unit,default,meaning"
PARAMETERS = (
    "k_loss,0.5,1/day,fixed,,,,assumption,a test,assumed,loss",
    "level_start,2,mg,fixed,,,,assumption,a test,assumed,",
)
QUANTITIES = (
    "level,state,mg,,what is in the tank",
    "supply,input,mg/day,1,what flows in",
    "share,derived,dimensionless,,level as a share of the start",
)


def write_part(
    folder: Path,
    *,
    model: str = MODEL,
    parameters: Sequence[str] = PARAMETERS,
    quantities: Sequence[str] = QUANTITIES,
    entry: str = ENTRY,
    columns: str = COLUMNS_OF_QUANTITIES,
) -> Path:
    """Write a part into a folder (its name is the part's id) and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "entry.toml").write_text(entry.format(id=folder.name))
    (folder / "model.ant").write_text(model)
    (folder / "parameters.csv").write_text("\n".join([",".join(COLUMNS), *parameters, ""]))
    (folder / "quantities.csv").write_text("\n".join([columns, *quantities, ""]))
    return folder


def make_part(folder: Path, **texts: object) -> Part:
    """Write a part and load it."""
    return load_part(write_part(folder, **texts))
