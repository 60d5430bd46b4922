"""Antimony text to equations, by way of SBML."""

from __future__ import annotations

import re
import threading

import antimony

from regraft.errors import InvalidModel, UnsupportedModel
from regraft.model.equations import Equations
from regraft.model.sbml import read_sbml

MAX_CHARACTERS = 2_000_000
# "import" as a word before a quote, also where comments stand between; a model must not read files of its reader
_IMPORT = re.compile(r"\bimport\b(?:\s|//[^\n]*|#[^\n]*|/\*.*?\*/)*\"", re.DOTALL)
# the antimony library keeps one global list of loaded models
_LOCK = threading.Lock()


def antimony_to_sbml(text: str, *, name: str = "the model") -> str:
    """Translate Antimony to SBML text.

    Parameters
    ----------
    text : Antimony; at most two million characters
    name : how messages name the file

    Raises
    ------
    InvalidModel : the text is not valid Antimony; antimony's own message is passed on
    UnsupportedModel : the text imports another file
    """
    if len(text) > MAX_CHARACTERS:
        raise InvalidModel(f"{name} has {len(text)} characters; more than {MAX_CHARACTERS} are not read.")
    if _IMPORT.search(text):
        raise UnsupportedModel(f"{name} imports another file, which is not read. Put all of the model into one file.")
    with _LOCK:
        antimony.clearPreviousLoads()
        if antimony.loadAntimonyString(text) < 0:
            raise InvalidModel(f"{name}: {antimony.getLastError().strip()}")
        return str(antimony.getSBMLString(antimony.getMainModuleName()))


def read_antimony(text: str, *, name: str = "the model") -> Equations:
    """Read Antimony text.

    Raises
    ------
    InvalidModel, UnsupportedModel : as ``antimony_to_sbml`` and ``read_sbml``
    """
    return read_sbml(antimony_to_sbml(text, name=name))
