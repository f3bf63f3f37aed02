"""What the plugin browser lists: a row for each plugin that was found, and one for each file that is not good."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import localtime, strftime
from typing import TYPE_CHECKING, Any, Literal

from editor.plugins.shelf import Known, Latencies

if TYPE_CHECKING:
    from host.plugins.description import Bus
    from host.plugins.store import ClassResult, FileResult

RATE = 48000
BACKENDS = {"native": "Patchwright's own VST3 host", "board": "pedalboard"}
Show = Literal["all", "good", "bad", "gone"]
SHOWS: Mapping[Show, str] = {"all": "All files", "good": "Good", "bad": "Not good", "gone": "No longer there"}
MEANINGS = {
    "agrees": "as reported",
    "later": "sounds later than it reports",
    "earlier": "sounds before what it reports",
    "silent": "nothing came out",
    "noisy": "it makes sound by itself, never the same",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A plugin in a file, or a file in which there is none. ``id`` tells it from every other."""

    id: str
    title: str
    vendor: str
    version: str
    use: str
    """What it says it is for."""
    inputs: str
    outputs: str
    params: int
    reported: int
    """Latency in frames."""
    measured: str
    agrees: bool
    verdict: str
    reason: str
    file: FileResult
    known: ClassResult | None
    item: str
    """What it is in stock; empty where it cannot be added."""

    @property
    def good(self) -> bool:
        """Whether it can be played."""
        return self.verdict == "good"


def rows(known: Known) -> list[Row]:
    """Everything that scans know, by title."""
    found: list[Row] = []
    for file in known.files:
        if not file.classes or all(c.verdict == "good" for c in file.classes) != (file.verdict == "good"):
            found.append(_file_row(file))
        found += [_class_row(file, each, known.latencies) for each in file.classes]
    return sorted(found, key=lambda row: (row.title.casefold(), row.id))


def _file_row(file: FileResult) -> Row:
    title = Path(file.path).stem
    return Row(file.path, title, "", "", "", "", "", 0, 0, "", True, file.verdict, file.reason, file, None, "")


def _class_row(file: FileResult, known: ClassResult, latencies: Latencies) -> Row:
    from editor.stock import PLUGIN, purpose

    about = known.description
    found = latencies.get((file.path, known.uid, RATE))
    good = known.verdict == "good" and about is not None
    return Row(
        f"{file.path}#{known.uid}",
        known.name or Path(file.path).stem,
        about.vendor if about else "",
        about.version if about else "",
        purpose(about.category) if about else "",
        buses(about.inputs, about.events_in) if about else "",
        buses(about.outputs, False) if about else "",
        len(about.params) if about else 0,
        about.latency_frames if about else 0,
        measured(found),
        found is None or found["agreement"] in ("agrees", "silent", "noisy"),
        known.verdict,
        known.reason,
        file,
        known,
        f"{PLUGIN}:{file.format}:{known.uid}" if good and file.present else "",
    )


def buses(found: Iterable[Bus], events: bool) -> str:
    """Buses in a few words; those beside the main ones in brackets."""
    words = [(bus.kind, bus.layout or f"{bus.channels} ch") for bus in found]
    named = [word if kind == "main" else f"({word})" for kind, word in words]
    return " + ".join([*named, *(["events"] if events else [])]) or "none"


def measured(found: Mapping[str, Any] | None) -> str:
    """A measurement in a word."""
    if found is None:
        return ""
    return "none" if found["onset"] is None else str(found["measured"])


def shown(listed: Iterable[Row], show: Show, typed: str) -> list[Row]:
    """The rows of a choice that have every word that was typed."""
    words = typed.casefold().split()
    found: list[Row] = []
    for row in listed:
        fits = {
            "all": row.file.present,
            "good": row.good and row.file.present,
            "bad": not row.good and row.file.present,
            "gone": not row.file.present,
        }[show]
        text = f"{row.title} {row.vendor} {row.use} {row.verdict} {row.file.path}".casefold()
        if fits and all(word in text for word in words):
            found.append(row)
    return found


def ordered(listed: Iterable[Row], column: str, down: bool) -> list[Row]:
    """Rows by what is in a column; those that are equal stay by title."""
    keys = {
        "title": lambda r: r.title.casefold(),
        "vendor": lambda r: (not r.vendor, r.vendor.casefold()),
        "use": lambda r: (not r.use, r.use.casefold()),
        "ports": lambda r: (r.inputs, r.outputs),
        "params": lambda r: r.params,
        "latency": lambda r: r.reported,
        "verdict": lambda r: (r.good, r.verdict),
    }
    return sorted(listed, key=keys[column], reverse=down)


def counts(known: Known) -> str:
    """What there is, in a few words."""
    if not known.files:
        return "Nothing has been looked at yet."
    there = rows(Known(files=known.there))
    good = sum(row.good for row in there)
    bad = [row for row in there if not row.good]
    words = [f"{good} plugin{'' if good == 1 else 's'}"]
    words += [f"{len(bad)} not good"] if bad else []
    gone = len(known.files) - len(known.there)
    return ", ".join([*words, *([f"{gone} no longer there"] if gone else [])])


def facts(row: Row, latencies: Latencies) -> list[tuple[str, str]]:
    """What is known of a row, as pairs of a name and a text."""
    found: list[tuple[str, str]] = []
    known, file = row.known, row.file
    about = known.description if known else None
    if known and about:
        found += [("Ports", f"{row.inputs}  ›  {row.outputs}"), ("Params", str(row.params))]
        found += [("Runs on", BACKENDS.get(known.backend, known.backend))]
        found += [("Latency", f"{row.reported} frames, as it reports")]
        ping = latencies.get((file.path, known.uid, RATE))
        if ping:
            meaning = MEANINGS.get(str(ping["agreement"]), "")
            frames = "" if ping["onset"] is None else f"{ping['measured']} frames, "
            found.append(("Measured", frames + meaning))
        takes = list(dict.fromkeys(layout for bus in about.inputs[:1] for layout in bus.layouts))
        found += [("Takes", ", ".join(takes))] if len(takes) > 1 else []
    found.append(("Looked at", strftime("%d %b %Y %H:%M", localtime(file.scanned)) + f", in {file.seconds:.1f} s"))
    return found
