"""Kinds that hold the sound back to know what comes: what compressors, duckers and limiters share."""

from __future__ import annotations

from graph.spec import Config, Node, PatchError


def lookahead_frames(config: Config) -> int:
    """The stored ``lookahead_ms`` in frames."""
    return round(config.params["lookahead_ms"] * config.rate / 1000)


class LooksAhead(Node):
    """The base of kinds whose only latency, and whose whole tail, is what they look ahead (``lookahead_ms``)."""

    @classmethod
    def check(cls, config: Config) -> None:
        """Lookahead stands still."""
        if "lookahead_ms" in config.driven:
            raise PatchError("lookahead is latency, and nothing can move that", place="params.lookahead_ms")

    @classmethod
    def latency(cls, config: Config) -> int:
        """The lookahead."""
        return lookahead_frames(config)

    @classmethod
    def tail(cls, config: Config) -> float:
        """What was held back is still to be heard."""
        return cls.latency(config) / config.rate

    @classmethod
    def shape_key(cls, config: Config) -> object:
        """Lines and windows are as long as the latency."""
        return cls.latency(config)
