from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One measure of ours, and the same of what it is held against."""

    what: str
    ours: float
    against: float
    unit: str

    @property
    def ratio(self) -> float:
        return self.ours / self.against
