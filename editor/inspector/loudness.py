"""Loudness against what is asked for: specifications as data, what a measurement makes of them, its history."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

FLOOR_LUFS = -119.0
"""What reads no more than this is silence, or not known yet."""
State = Literal["pass", "fail", "wait"]


@dataclass(frozen=True, slots=True)
class Spec:
    """What a programme must measure. ``note``: what this meter cannot know of it."""

    id: str
    title: str
    target_lufs: float
    tolerance_lu: float
    true_peak_dbtp: float
    source: str
    note: str = ""


SPECS: tuple[Spec, ...] = (
    Spec("r128", "EBU R128", -23.0, 0.5, -1.0, "EBU R 128 (2023): −23 LUFS ±0.5 LU, at most −1 dBTP"),
    Spec("a85", "ATSC A/85", -24.0, 2.0, -2.0, "ATSC A/85:2013: −24 LKFS ±2 dB, at most −2 dBTP",
         "A/85 measures dialogue where there is some; this is the whole programme."),
    Spec("netflix", "Netflix", -27.0, 2.0, -2.0, "Netflix sound mix specifications: −27 LKFS ±2 LU, at most −2 dBTP",
         "Netflix measures dialogue only; this is the whole programme."),
    Spec("streaming", "Streaming", -14.0, 1.0, -1.0, "Music streaming services: −14 LUFS, at most −1 dBTP"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verdict:
    """One thing that is asked for: what it is, what was measured, what it must be, and whether it is."""

    title: str
    value: float | None
    wanted: str
    state: State


def known(value: float | None) -> float | None:
    """A reading, or None where it says silence or nothing yet."""
    return None if value is None or not value > FLOOR_LUFS else value


def judged(spec: Spec, integrated: float | None, true_peak: float | None) -> tuple[Verdict, ...]:
    """What a measurement makes of a specification. Values are taken as they are shown, in tenths."""
    loudness, peak = known(integrated), known(true_peak)
    wanted = f"{spec.target_lufs:g} ±{spec.tolerance_lu:g} LUFS".replace("-", "−")
    most = f"at most {spec.true_peak_dbtp:g} dBTP".replace("-", "−")
    fits = loudness is not None and abs(round(loudness, 1) - spec.target_lufs) <= spec.tolerance_lu + 1e-9
    calm = peak is not None and round(peak, 1) <= spec.true_peak_dbtp + 1e-9
    return (
        Verdict("Integrated", loudness, wanted, "wait" if loudness is None else "pass" if fits else "fail"),
        Verdict("True peak", peak, most, "wait" if peak is None else "pass" if calm else "fail"),
    )


def overall(verdicts: Iterable[Verdict]) -> State:
    """Fail if anything fails, pass if all is known and passes."""
    states = [v.state for v in verdicts]
    return "fail" if "fail" in states else "wait" if "wait" in states else "pass"


class History:
    """What loudness has been: pairs of momentary and short-term, ten a second, the last ``SECONDS`` of them."""

    SECONDS = 60.0
    PER_SECOND = 10.0

    def __init__(self) -> None:
        self.points: deque[tuple[float, float]] = deque(maxlen=int(self.SECONDS * self.PER_SECOND))
        self._next = 0.0

    def take(self, now: float, momentary: float, short_term: float) -> bool:
        """Keep a pair, if it is time for the next one; the answer: whether it was."""
        if now < self._next:
            return False
        behind = now - self._next > 1.0
        self._next = now + 1 / self.PER_SECOND if behind else self._next + 1 / self.PER_SECOND
        self.points.append((momentary, short_term))
        return True
