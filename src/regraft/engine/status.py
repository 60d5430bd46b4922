"""How a patient's run ended."""

from __future__ import annotations

from enum import IntEnum


class Status(IntEnum):
    """One code per patient; everything but OK and ENDED is a failure with a reason."""

    OK = 0
    ENDED = 1  # a terminal event, death for example
    NON_FINITE = 2
    STEP_LIMIT = 3
    STEP_TOO_SMALL = 4
    EVENT_STORM = 5
    EVENT_LOG_FULL = 6
    DOMAIN = 7


# Plain integers for the compiled driver.
DONE = -1  # the last time was reached; kept as OK
OK = int(Status.OK)
ENDED = int(Status.ENDED)
NON_FINITE = int(Status.NON_FINITE)
STEP_LIMIT = int(Status.STEP_LIMIT)
STEP_TOO_SMALL = int(Status.STEP_TOO_SMALL)
EVENT_STORM = int(Status.EVENT_STORM)
EVENT_LOG_FULL = int(Status.EVENT_LOG_FULL)
DOMAIN = int(Status.DOMAIN)
