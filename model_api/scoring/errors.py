"""What `servery score` cannot do."""

from model_api.errors import OperatorError


class CannotScore(OperatorError):
    """A file cannot be scored as it was asked for; says what to change."""
