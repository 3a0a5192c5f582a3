"""What can go wrong between the dashboard and the model service. Knows no HTTP status: see views/errors.py.

DashboardError
├── UnknownModel             the model service has no model of that name
├── InvalidInstance          the model service refused features that the form let through
├── InvalidQuery             an address that no link of ours leads to
├── NotOffered               the model service cannot answer such a question about this version
└── ModelServiceError        the model service did not give an answer
    ├── Unavailable          it is down, busy, or not ready
    ├── TooSlow              it did not answer within the total deadline
    └── BadAnswer            what it sent is not what it should send
"""

from collections.abc import Mapping


class DashboardError(Exception):
    """The root. `str(error)` goes to the log; what people see is written in views/errors.py."""


class UnknownModel(DashboardError):
    """There is no such model, version or chart."""


class InvalidQuery(DashboardError):
    """A query parameter has a value that cannot be used; `str(error)` is shown."""


class InvalidInstance(DashboardError):
    """The model service refused the instance."""

    def __init__(self, messages: Mapping[str, str]) -> None:
        super().__init__(f"{len(messages)} features were refused")
        self.messages = messages
        """Feature → what is wrong with it."""


class NotOffered(DashboardError):
    """The version lacks what an answer is made of; `str(error)` is the model service's own sentence, and is shown."""


class ModelServiceError(DashboardError):
    """No answer; trying again may help."""


class Unavailable(ModelServiceError):
    """Nobody listens, the connection broke, or the service says that it cannot answer now."""

    def __init__(self, reason: str, *, soon: bool = False) -> None:
        super().__init__(reason)
        self.soon = soon
        """The service said so itself: in a moment it may answer."""


class TooSlow(ModelServiceError):
    """The total deadline passed."""


class BadAnswer(ModelServiceError):
    """Not JSON, too large, of another shape, or an error that we do not know."""
