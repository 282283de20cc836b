from __future__ import annotations


class Progress:
    """How far one partition has come, though its records end in any order.

    The offset to commit is that after the last record before which none is under way: what is committed is
    never asked for again.
    """

    def __init__(self) -> None:
        self._is_done: dict[int, bool] = {}
        self.committable: int | None = None
        """None until the first of the records is done."""

    def start(self, offset: int) -> None:
        self._is_done[offset] = False

    def finish(self, offset: int) -> None:
        self._is_done[offset] = True
        for first, is_done in list(self._is_done.items()):
            if not is_done:
                return
            del self._is_done[first]
            self.committable = first + 1
