"""What is shown of an engine while it plays."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Container, Mapping, Sequence
from time import monotonic

from rich.console import Group
from rich.text import Text

from host.engine.display import EngineStatus
from host.engine.readings import Floats
from host.terminal.playing import KEYS, Playing

HOLD_S = 1.5
FLOOR_DB = -60.0
SILENT_DB = -150.0
WIDTH = 40
RED_DB, YELLOW_DB = -1.0, -12.0
_YELLOW, _RED = (round(WIDTH * (1.0 - level / FLOOR_DB)) for level in (YELLOW_DB, RED_DB))
_ZONES = (("green", 0, _YELLOW), ("yellow", _YELLOW, _RED), ("red", _RED, WIDTH))
DEAREST = 3
"""So many nodes are named with what they cost."""


class Meters:
    """Levels with the highest of the last moments held."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, int], tuple[float, float]] = {}

    def rows(
        self, readings: Mapping[str, Mapping[str, Floats]], now: float, first: Container[str] = ()
    ) -> list[tuple[str, float, float]]:
        """Name, level and held level in dBFS, for every channel of every node that has a peak, some of them first."""
        found: list[tuple[str, float, float]] = []
        for node, parts in sorted(readings.items(), key=lambda item: (item[0] not in first, item[0])):
            for channel, value in enumerate(parts.get("peak", ())):
                level = _decibels(float(value))
                held, since = self._held.get((node, channel), (-math.inf, 0.0))
                if level >= held or now - since > HOLD_S:
                    held, since = level, now
                self._held[node, channel] = held, since
                found.append((f"{node} {channel + 1}" if len(parts["peak"]) > 1 else node, level, held))
        return found


def _decibels(value: float) -> float:
    return 20.0 * math.log10(value) if value > 0.0 and math.isfinite(value) else -math.inf


def _cells(level: float) -> int:
    return round(WIDTH * min(max(level / -FLOOR_DB + 1.0, 0.0), 1.0)) if level > -math.inf else 0


def _words(level: float) -> str:
    return f"{level:6.1f}" if level > SILENT_DB else "    −∞"


def device_words(status: EngineStatus) -> str:
    d = status.device
    if d is None or not d.device:
        return "opening the device"
    name = f"{d.api}: {d.device}" if d.api else d.device
    block = f"blocks of {d.block}" if d.block else "blocks of any size"
    latency = 1000.0 * (d.device_latency + d.patch_latency) / (d.rate or 1)
    late: dict[int, list[str]] = defaultdict(list)
    for node, frames in d.latencies:
        late[frames].append(node)
    named = ((nodes[0] if len(nodes) == 1 else f"{len(nodes)} outputs", frames) for frames, nodes in late.items())
    paths = ", ".join(f"{who} {frames}" for who, frames in named if frames)
    of_which = f" ({d.device_latency} frames the device; {paths})" if paths else ""
    return f"{name}, {d.rate} Hz, {block}, {d.inputs} in, {d.outputs} out, latency {latency:.1f} ms{of_which}"


def number_words(status: EngineStatus, playing: Playing) -> str:
    n = status.numbers
    words = f"load {n.get('load', 0.0):.1%}, worst {n.get('worst', 0.0):.1%}, dropouts {playing.xruns}"
    if n.get("missed"):
        words += f", frames missed from disk {n['missed']:.0f}"
    if n.get("scrubbed"):
        words += f", samples that were no numbers {n['scrubbed']:.0f}"
    return words


def files_words(status: EngineStatus) -> str:
    """How many of the files that are played are in memory, in the disk cache; nothing where none is played."""
    n = status.numbers
    if not n.get("files"):
        return ""
    kept, total = (n[name] / 1e6 for name in ("kept_bytes", "files_bytes"))
    return f"files in memory: {n['kept']:.0f} of {n['files']:.0f}, {kept:.0f} of {total:.0f} MB"


def picture(playing: Playing, meters: Meters, name: str, said: Sequence[str], height: int) -> Group:
    """The whole view, as it is now, in so many lines at most."""
    status = playing.look()
    state = "playing" if status.rolling else "standing"
    if status.loop is not None:
        state += ", going round from {:g} to {:g} s".format(*status.loop)
    if status.device is not None and status.device.recording:
        state += f", recording {len(status.device.recording)}"
    costs = sorted(playing.engine.costs().items(), key=lambda item: -item[1][0])[:DEAREST]
    dearest = ", ".join(f"{node} {average:.2%} (worst {worst:.2%})" for node, (average, worst) in costs)
    above = [
        Text(f"{name}  {state if status.alive else 'the engine is being started again'}", "bold"),
        Text(playing.place(status)),
        Text(device_words(status)),
        Text(number_words(status, playing)),
        *([Text(files_words(status))] if files_words(status) else []),
        *([Text(f"most: {dearest}")] if dearest else []),
        *([Text(compiling_words(*status.compiling), "cyan")] if status.compiling else []),
    ]
    below = [*(Text(words, "yellow") for words in said), Text(KEYS, "dim")]
    outputs = {node for node, _ in status.device.latencies} if status.device is not None else set[str]()
    rows = meters.rows(playing.engine.readings(), monotonic(), outputs)
    room = max(height - len(above) - len(below), 1)
    shown = rows if len(rows) <= room else rows[: room - 1]
    bars = [bar(*row) for row in shown]
    if len(shown) < len(rows):
        bars.append(Text(f"and {len(rows) - len(shown)} channels more than there is room for", "dim"))
    lines = [*above, *bars, *below]
    for line in lines:
        line.no_wrap, line.overflow = True, "ellipsis"
    return Group(*lines)


def compiling_words(done: int, total: int) -> str:
    """How far the compiler is."""
    return f"compiling kernels: {done} of {total}"


def bar(name: str, level: float, held: float) -> Text:
    found = Text(f"{name[:20]:20} ")
    full, mark = _cells(level), _cells(held) - 1
    signs = "█" * full + "·" * (WIDTH - full)
    signs = signs[:mark] + "│" + signs[mark + 1 :] if mark >= full else signs
    for style, first, last in _ZONES:
        found.append(signs[first:last], style)
    found.append(f" {_words(level)} {_words(held)}")
    return found
