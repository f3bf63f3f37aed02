"""How loud what comes out is, by how loud what goes in is: from the params that a dynamics kind declares."""

from __future__ import annotations

from collections.abc import Mapping, Set

import numpy as np

from editor.inspector.axes import Floats

LOWEST_DB, HIGHEST_DB = -72.0, 6.0


def has_transfer(params: Set[str]) -> bool:
    """Whether params of these names say how levels are bent."""
    return {"threshold_db", "ratio"} <= params or "ceiling_db" in params


def reduction(values: Mapping[str, float], level: Floats) -> Floats:
    """How far the gain falls for levels in dB, from the params by name.

    With ``range_db`` it falls below the threshold, ``ratio`` dB for each, no further than the range; otherwise above
    it, straight, but a parabola within ``knee_db`` (Giannoulis, Massberg, Reiss: "Digital Dynamic Range Compressor
    Design", JAES 60(6), 2012, eq. 4). With ``ceiling_db`` alone it falls by what is over it.
    """
    if "threshold_db" not in values:
        return np.maximum(level + values.get("input_db", 0.0) - values["ceiling_db"], 0.0)
    over, ratio = level - values["threshold_db"], values["ratio"]
    if "range_db" in values:
        return np.minimum(np.maximum(-over, 0.0) * (ratio - 1.0), -values["range_db"])
    knee, slope = values.get("knee_db", 0.0), 1.0 - 1.0 / ratio
    if knee <= 0.0:
        return slope * np.maximum(over, 0.0)
    bent = np.clip(over + knee / 2, 0.0, knee)
    return slope * (bent * bent / (2 * knee) + np.maximum(over - knee / 2, 0.0))


def output(values: Mapping[str, float], level: Floats, fall: Floats | None = None) -> Floats:
    """Levels that come out for levels that go in, in dB; ``fall``: how far the gain is down, if not by the curve."""
    fall = reduction(values, level) if fall is None else fall
    gain = values.get("makeup_db", 0.0) + values.get("input_db", 0.0) - fall
    mix = values.get("mix", 1.0)
    if mix < 1.0:
        gain = 20 * np.log10(np.maximum(mix * 10 ** (gain / 20) + (1 - mix), 1e-9))
    return level + gain


def level_at(values: Mapping[str, float], fall: float) -> float | None:
    """The level that the curve turns down so far; None where it turns no level down so far, or every one.

    Where many levels are turned down so far (below a gate's range), the one nearest to the threshold.
    """
    levels = np.linspace(LOWEST_DB - 24.0, HIGHEST_DB + 18.0, 2401)
    falls = reduction(values, levels)
    if fall < 0.05 or fall > falls.max() + 0.5:
        return None
    if falls[0] > falls[-1]:
        levels, falls = levels[::-1], falls[::-1]
    first = int(np.searchsorted(falls, min(fall, float(falls.max())) - 1e-9))
    if first == 0:
        return None
    low, high = falls[first - 1], falls[first]
    share = (min(fall, high) - low) / (high - low) if high > low else 1.0
    return float(levels[first - 1] + share * (levels[first] - levels[first - 1]))
