class LocalError(Exception):
    """Raised when the bundle cannot start here; its text is one line that says what to do about it."""
