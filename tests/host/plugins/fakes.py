"""Plugins that are a few lines of numpy, good and evil: a gain, a sidechain that is added, and a true latency.

Workers import this module by its bare name (``opener``), so nothing here may need what only tests have.
"""

from __future__ import annotations

import ctypes
import struct
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from host.plugins.description import Arrangement, Bus, Description, PluginParam
from host.plugins.errors import PluginError
from host.plugins.instance import Change, Notice, Transport

HERE = str(Path(__file__).parent)
OPENER = "fakes:open_fake"
GAIN, SWITCH = 100, 7
"""Ids of its params: a gain of 0…2, and a switch that turns the sound round."""


def description(name: str = "Fake", *, delay: int = 0, layout: str = "stereo", outputs: int = 1) -> Description:
    """What a scan would have found."""
    params = (
        PluginParam(GAIN, "Gain", "x", default=0.5, low="0", high="2"),
        PluginParam(1, "Level", read_only=True),
        PluginParam(SWITCH, "Turn", steps=1),
    )
    layouts = tuple(dict.fromkeys((layout, "mono", "stereo")))
    inputs = (Bus("In", "main", 2, layout, layouts), Bus("Key", "aux", 1, "mono", ("mono",), on=False))
    outs = tuple(Bus(f"Out {k}", "main" if k == 0 else "aux", 2, layout, layouts) for k in range(outputs))
    return Description("vst3", f"{name:_<32}", name, inputs=inputs, outputs=outs, params=params, latency_frames=delay)


class Fake:
    """One of them. ``source`` says how it is: ``delay``; ``evil`` and ``at``, the block at which that begins, and
    ``once``, a file that is there once it has happened.
    """

    def __init__(self, source: Mapping[str, Any]) -> None:
        self.source = dict(source)
        self.description = description(source.get("name", "Fake"), delay=source.get("delay", 0))
        self.gain, self.turned, self.blocks = 0.5, 0.0, 0
        self.place, self.asked = -1.0, 0
        self._evil("load")

    def _evil(self, stage: str) -> None:
        evil, once = self.source.get("evil", ""), self.source.get("once", "")
        if not evil.startswith(stage):
            return
        if stage == "process" and self.blocks < self.source.get("at", 0):
            return
        if once and Path(once).exists():
            return
        if once:
            Path(once).touch()
        match evil.partition(" ")[2]:
            case "crash":
                ctypes.string_at(0)
            case "hang":
                while True:
                    time.sleep(1.0)
            case "spin":
                while True:
                    pass
            case "raise":
                raise PluginError("it does not want to")
            case "slow":
                time.sleep(self.source["seconds"])
            case "hog":
                self.hog = [np.ones(1 << 24, np.float64) for _ in range(64)]

    def prepare(self, rate: float, max_block: int, arrangement: Arrangement | None = None) -> None:
        self.rate = rate
        self.line = np.zeros((64, self.source.get("delay", 0)), np.float32)
        self.keyed = arrangement is not None and arrangement.inputs[1] != ""

    def process(
        self,
        inputs: Sequence[np.ndarray],
        outputs: Sequence[np.ndarray],
        events: Sequence[Any] = (),
        changes: Sequence[Change] = (),
        transport: Transport | None = None,
    ) -> None:
        self._evil("process")
        self.blocks += 1
        frames = outputs[0].shape[1]
        gain = np.full(frames, self.gain, np.float32)
        for change in changes:
            if change.id == GAIN:
                self.gain = change.value
                gain[change.frame :] = change.value
            elif change.id == SWITCH:
                self.turned = change.value
        main = inputs[0] + (inputs[1] if self.keyed else np.float32(0))
        wet = main * (2 * gain) * np.float32(-1 if self.turned > 0.5 else 1)
        joined = np.concatenate([self.line[: len(wet)], wet], axis=1)
        delay = self.line.shape[1]
        outputs[0][:] = joined[:, :frames]
        self.line[: len(wet)] = joined[:, frames : frames + delay] if delay else self.line[: len(wet)]
        for k, output in enumerate(outputs[1:], 2):
            output[:] = k * outputs[0]
        if self.source.get("evil") == "nan" and self.blocks > self.source.get("at", 0):
            outputs[0][:, ::3] = np.nan
            outputs[0][:, 1::3] = np.inf
        if transport is not None:
            self.place = transport.position_frames

    def native(self) -> None:
        return None

    def latency(self) -> int:
        return self.source.get("really", self.source.get("delay", 0))

    def tail(self) -> int:
        return 0

    def reset(self) -> None:
        self.line[:] = 0

    def get(self, id: int) -> float:
        return {GAIN: self.gain, SWITCH: self.turned}.get(id, 0.0)

    def set(self, id: int, value: float) -> None:
        if id == GAIN:
            self.gain = value

    def heed_programs(self) -> None:
        pass

    def titles(self) -> dict[int, tuple[str, str]]:
        titles = {param.id: (param.name, param.unit) for param in self.description.params}
        later = {id: (name, unit) for id, name, unit in self.source.get("titles", ())}
        return {**titles, **later} if self.turned > 0.5 else titles

    def text(self, id: int, value: float) -> str:
        return f"{2 * value:.2f}"

    def value_of(self, id: int, text: str) -> float:
        return float(text) / 2

    def state(self) -> bytes:
        """With ``restless``, another one each time."""
        self.asked += 1
        more = struct.pack("d", self.asked) if self.source.get("restless") else b""
        return struct.pack("dd", self.gain, self.turned) + more

    def state_in_play(self) -> bytes | None:
        return None

    def set_state(self, data: bytes) -> None:
        self._evil("state")
        if len(data) != 16:
            raise PluginError("this is no state of mine")
        self.gain, self.turned = struct.unpack("dd", data)

    def notices(self) -> list[Notice]:
        """Those of ``says``, once, when the switch is on."""
        if self.turned <= 0.5:
            return []
        found = [Notice(*each) for each in self.source.get("says", ())]
        self.source["says"] = ()
        if any(notice.kind == "reload" for notice in found):
            self.gain = 0.125  # which it will be when it is back
        return found

    def close(self) -> None:
        pass


def open_fake(source: Mapping[str, Any]) -> Fake:
    """What workers of these tests call."""
    return Fake(source)
