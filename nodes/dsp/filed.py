"""What kinds that play a file from the timeline have in common."""

from __future__ import annotations

import math
from collections.abc import Mapping

from graph.spec import Config, Node, PatchError, Services, Setting

LATEST_S = 1e7


class Filed(Node):
    """A file that lies on the timeline."""

    family = "input"

    path = Setting("path", "", "path", "The file.")
    loop = Setting("loop", False, "switch", "Start again at the end.")
    start_s = Setting("start_s", 0.0, "number", "Where on the timeline it starts, in seconds.", low=0, high=LATEST_S)

    @classmethod
    def info(cls, config: Config, services: Services) -> Mapping[str, object]:
        """What is known of the file; nothing without a path."""
        if not config.settings["path"]:
            return {}
        try:
            return cls.known(config, services)
        except PatchError as error:
            raise PatchError(error.message, place="settings.path") from None

    @classmethod
    def known(cls, config: Config, services: Services) -> Mapping[str, object]:
        """What there is to know of the file at its path. Raises PatchError."""
        raise NotImplementedError

    @classmethod
    def tail(cls, config: Config) -> float:
        """A source."""
        return math.inf

    @classmethod
    def shape_key(cls, config: Config) -> object:
        """What is known of the file."""
        return sorted(config.info.items())
