"""Pictures: bytes in, bytes out. Knows no HTTP, no storage and no metrics."""
