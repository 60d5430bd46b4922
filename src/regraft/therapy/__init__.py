"""Therapy: agents and products, protocols, and their compilation to administrations."""

from regraft.therapy.compile import CompiledProtocol as CompiledProtocol
from regraft.therapy.compile import check_fit as check_fit
from regraft.therapy.compile import compile_protocol as compile_protocol
from regraft.therapy.protocol import Protocol as Protocol
from regraft.therapy.protocol import load_protocol as load_protocol
from regraft.therapy.timeline import TimelineItem as TimelineItem
from regraft.therapy.treatment import Treatment as Treatment
from regraft.therapy.treatment import load_treatment as load_treatment
