"""The errors a person can cause with a patch, and what they are told."""

from __future__ import annotations


class PatchError(ValueError):
    """Something in a patch is not as it must be.

    ``place`` says where (``nodes.duck.params.ratio``), ``message`` what is wrong and what was expected, and ``node``
    which node it belongs to, when it belongs to one.
    """

    def __init__(self, message: str, *, place: str = "", node: str = "") -> None:
        super().__init__(f"{place}: {message}" if place else message)
        self.message = message
        self.place = place
        self.node = node
