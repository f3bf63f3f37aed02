"""Convolution."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from graph.spec import (
    TICK,
    AudioIn,
    AudioOut,
    Config,
    Level,
    Param,
    PatchError,
    Services,
    Setting,
    kernel,
)
from nodes.dsp import partitions
from nodes.dsp.convolving import Convolving
from nodes.dsp.machine import f32
from nodes.dsp.partitions import convolve

IMPULSE = np.ones((1, 1), np.float64)


class Convolution(Convolving):
    """Convolve a signal with an impulse response from a file, without latency.

    A mono response is heard on every channel; one with as many channels as the signal, channel by channel; one of four
    channels on a stereo signal is true stereo: left to left, left to right, right to left, right to right. A response
    of another rate is resampled, and keeps its gain. Without a file the signal passes unchanged.
    """

    kind = "convolution"
    family = "space"
    bypassable = True
    accumulates = True

    signal = AudioIn("in")
    out = AudioOut("out")
    path = Setting("path", "", "path", doc="Audio file of the impulse response.")
    normalize = Setting(
        "normalize",
        True,
        "switch",
        doc="Scale each channel of the response to unit energy; without it, as in the file.",
    )
    mix = Param("mix", 1.0, doc="From the signal as it is (0) to the convolved one (1).")
    level = Level("level_db", 0.0, doc="Level of the convolved signal.")

    @classmethod
    def info(cls, config: Config, services: Services) -> Mapping[str, object]:
        path = config.settings["path"]
        if not path:
            return {}
        found = services.audio_info(path)
        return {"rate": found.rate, "frames": found.frames, "channels": len(found.labels)}

    @classmethod
    def output_layouts(cls, config: Config) -> Mapping[str, str]:
        channels, lanes = config.info.get("channels", 1), config.channels("in")
        if channels not in (1, lanes) and (channels, lanes) != (4, 2):
            raise PatchError(
                f"an impulse response of {channels} channels does not fit a signal of {lanes}: expected 1 or {lanes}"
                + (", or 4 for true stereo" if lanes == 2 else ""),
                place="settings.path",
            )
        return {}

    @classmethod
    def tail(cls, config: Config) -> float:
        return config.info.get("frames", 0) / config.info.get("rate", 1)

    @classmethod
    def shape_key(cls, config: Config) -> object:
        return sorted(config.info.items())

    @classmethod
    def prepare(cls, config: Config, services: Services) -> Mapping[str, npt.NDArray[Any]]:
        lanes = config.channels("in")
        taps = cls._taps(config, services)
        count = taps.shape[1]
        filters = [np.ascontiguousarray(taps[:, k]) for k in range(count)]
        if count == 4 and lanes == 2:
            return partitions.prepared(filters, lanes, sources=2, by_input=2, by_output=1)
        return partitions.prepared(filters, lanes, by_output=int(count > 1))

    @classmethod
    def _taps(cls, config: Config, services: Services) -> npt.NDArray[np.float64]:
        """The response ``[tap, channel]`` as it is applied, silence at its end cut off."""
        if not config.info:
            return IMPULSE
        data, _ = services.read_audio(config.settings["path"], config.rate)
        taps = np.nan_to_num(data.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
        sounding = np.flatnonzero(np.any(taps, axis=1))
        taps = taps[: sounding[-1] + 1] if len(sounding) else np.zeros((1, taps.shape[1]))
        if config.settings["normalize"]:
            energy = np.sum(taps**2, axis=0)
            return taps / np.sqrt(np.where(energy > 0, energy, 1.0))
        return taps * (config.info["rate"] / config.rate)

    @kernel
    def process(
        signal, out, mix, level, plan, places, tables, filters, history, spectra, work, sums, done, scratch, wet, n
    ):
        for tick in range(n // TICK):
            at = tick * TICK
            convolve(
                signal,
                at,
                out.lanes,
                wet,
                plan,
                places,
                tables,
                filters,
                history,
                spectra,
                work,
                sums,
                done,
                scratch,
            )
            for i in range(TICK):
                for lane in range(out.lanes):
                    m = mix[at + i, lane]
                    out[at + i, lane] = signal[at + i, lane] * (f32(1.0) - m) + wet[i, lane] * (m * level[at + i, lane])
