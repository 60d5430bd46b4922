"""Text to equations: Antimony and SBML in, frozen ``Equations`` out, with a unit check and a linter."""

from regraft.model.antimony_text import read_antimony as read_antimony
from regraft.model.join import JoinedModel as JoinedModel
from regraft.model.join import join as join
from regraft.model.lint import lint_part as lint_part
from regraft.model.part import Part as Part
from regraft.model.part import load_part as load_part
from regraft.model.reactions import ReactionNetwork as ReactionNetwork
from regraft.model.reactions import read_antimony_reactions as read_antimony_reactions
from regraft.model.reactions import read_sbml_reactions as read_sbml_reactions
from regraft.model.sbml import read_sbml as read_sbml
from regraft.model.sbml_writer import write_sbml as write_sbml
from regraft.model.units import check_units as check_units
