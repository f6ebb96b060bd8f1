"""How far a project is: the words for its status and for its phase, and which phase a status is in."""

from __future__ import annotations

from enum import StrEnum


class Phase(StrEnum):
    """The part of a project's life that something is about, in order. The values are the words shown."""

    IDEA = "idé"
    LAW_AND_DATA = "jura og data"
    DEVELOPMENT = "udvikling"
    TRIAL = "afprøvning"
    OPERATION = "drift"
    SPREAD = "udbredelse"


class Status(StrEnum):
    """How far a project is. The values are the words shown to readers."""

    IDEA = "idé"
    ONGOING = "i gang"
    READY_FOR_TEST = "klar til test"
    TEST = "i test"
    ON_ITS_WAY = "på vej i drift"
    OPERATION = "i drift"
    NOT_IN_OPERATION = "ikke i drift"
    ON_HOLD = "på hold"
    STOPPED = "stoppet"
    FINISHED = "afsluttet"
    UNKNOWN = "ukendt"


PHASE_OF_STATUS = {
    Status.IDEA: Phase.IDEA,
    Status.ONGOING: Phase.DEVELOPMENT,
    Status.READY_FOR_TEST: Phase.TRIAL,
    Status.TEST: Phase.TRIAL,
    Status.ON_ITS_WAY: Phase.OPERATION,
    Status.OPERATION: Phase.OPERATION,
}
