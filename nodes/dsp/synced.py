"""Rates that count per second or, in time with the patch, per beat: what control sources share."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from graph.spec import Config


def rate_key(config: Config) -> object:
    """What memory with ``stored_rate`` depends on: the stored rate, and the tempo if it counts."""
    return config.params["rate_hz"], config.tempo if config.settings["sync"] else None


def stored_rate(config: Config) -> npt.NDArray[np.float64]:
    """The rate as it was typed, and seconds or beats in a second."""
    return np.array([config.params["rate_hz"], config.tempo / 60.0 if config.settings["sync"] else 1.0])
