class Refused(Exception):
    """Raised when something cannot be done; its text is the one line that the operator is told."""
