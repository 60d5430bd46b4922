"""The donor of a graft: who it is, and what of that the model asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from regraft.quantities import convert, parse_quantity

LOCI = (6, 8, 10, 12)  # how many alleles are typed: A, B, DRB1, then also C, DQB1, DPB1


class Donor(BaseModel):
    """Another person who gives cells.

    Parameters
    ----------
    relation : to the patient; ``twin`` is an identical one
    hla : matched of typed alleles, such as ``10/10``, ``7/8`` or ``5/10`` (haploidentical)
    age : with unit, at donation
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    relation: Literal["twin", "sibling", "parent", "relative", "unrelated"]
    hla: Annotated[str, Field(pattern=r"^\d{1,2}/\d{1,2}$")]
    age: str | None = None
    sex: Literal["female", "male"] | None = None
    cmv: Literal["positive", "negative"] | None = None

    @field_validator("hla")
    @classmethod
    def _possible(cls, value: str) -> str:
        matched, typed = map(int, value.split("/"))
        if typed not in LOCI:
            raise ValueError(f"{typed} alleles are typed; 6, 8, 10 or 12 are usual")
        if matched > typed:
            raise ValueError(f"{matched} of {typed} alleles cannot match")
        return value

    @field_validator("age")
    @classmethod
    def _aged(cls, value: str | None) -> str | None:
        if value is not None and _years(value) < 0:
            raise ValueError(f"{value} is no age")
        return value

    @model_validator(mode="after")
    def _agreeing(self) -> Donor:
        if self.relation == "twin" and self.mismatches:
            raise ValueError(f"hla is {self.hla}, but an identical twin matches in all alleles")
        if self.relation == "parent" and 2 * self.matched < self.typed:
            raise ValueError(f"hla is {self.hla}, but a parent shares one haplotype: at least half match")
        return self

    @property
    def matched(self) -> int:
        """How many alleles match."""
        return int(self.hla.split("/")[0])

    @property
    def typed(self) -> int:
        """How many alleles were typed."""
        return int(self.hla.split("/")[1])

    @property
    def mismatches(self) -> int:
        """How many alleles do not match."""
        return self.typed - self.matched

    def values(self) -> Mapping[str, float]:
        """Return what a model may ask for, by the names of its inputs; what is not known is left out."""
        found = {
            "donor_is_other": float(self.relation != "twin"),
            "donor_is_related": float(self.relation != "unrelated"),
            "hla_mismatches": float(self.mismatches),
        }
        if self.age is not None:
            found["donor_age"] = _years(self.age)
        if self.sex is not None:
            found["donor_is_female"] = float(self.sex == "female")
        if self.cmv is not None:
            found["donor_has_cmv"] = float(self.cmv == "positive")
        return found


def _years(text: str) -> float:
    """Return an age in years."""
    value, unit = parse_quantity(text)
    return value * convert(1.0, unit, "year")
