"""What the command line says about plugins: tables for people, plain data for programs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from host.plugins.database import say
from host.plugins.description import Bus, plain
from host.plugins.scan import Report
from host.plugins.store import VERDICTS, ClassResult, FileResult

BACKENDS = {"native": "native", "board": "pedalboard"}
Latencies = Mapping[tuple[str, str, int], Mapping[str, Any]]
WIDE = 2000
"""Columns of a table that goes to no terminal: nothing is cut or broken in two there."""
HEADERS = ("plugin", "vendor", "version", "category", "in", "out", ">params", ">latency", ">measured", "runs on")


@contextmanager
def progress(label: str) -> Iterator[Callable[[int, int, str], None]]:
    """A bar on standard error where that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda done, due, path: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn(label), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, due, path: bar.update(
            task, completed=done, total=due, description=escape(path.rpartition("/")[2])
        )


# Plain data


def file_data(file: FileResult, latencies: Latencies, brief: bool = False) -> dict[str, Any]:
    """What is known of a file; ``brief`` leaves out the params."""
    return {
        "path": file.path,
        "format": file.format,
        "verdict": file.verdict,
        "reason": file.reason,
        "detail": file.detail,
        "present": file.present,
        "scanned": file.scanned,
        "seconds": round(file.seconds, 3),
        "plugins": [_class_data(file, known, latencies, brief) for known in file.classes],
    }


def _class_data(file: FileResult, known: ClassResult, latencies: Latencies, brief: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "uid": known.uid,
        "name": known.name,
        "verdict": known.verdict,
        "reason": known.reason,
        "backend": known.backend,
        "note": known.note,
        "latencies": [dict(m) for (path, uid, _), m in latencies.items() if (path, uid) == (file.path, known.uid)],
        "description": None,
    }
    if known.description:
        description = plain(known.description)
        if brief:
            description["params"] = len(description["params"])
        found["description"] = description
    return found


def report_data(report: Report, latencies: Latencies) -> dict[str, Any]:
    """What a scan did."""
    return {
        "looked_at": len(report.looked),
        "unchanged": report.unchanged,
        "gone": report.gone,
        "seconds": round(report.seconds, 3),
        "verdicts": report.counts(),
        "files": [file_data(file, latencies, brief=True) for file in report.looked],
    }


# Tables


def rows(files: Sequence[FileResult], latencies: Latencies) -> Iterator[tuple[str, ...]]:
    """A row under ``HEADERS`` for each good plugin, by name."""
    good = [(f, c) for f in files for c in f.classes if c.description]
    for file, known in sorted(good, key=lambda pair: (pair[1].name.lower(), pair[0].path)):
        description = known.description
        assert description is not None
        yield (
            known.name,
            description.vendor,
            description.version,
            description.category.replace("|", ", "),
            buses(description.inputs, description.events_in),
            buses(description.outputs, False),
            str(len(description.params)),
            str(description.latency_frames),
            measured(latencies.get((file.path, known.uid, 48000))),
            BACKENDS.get(known.backend, known.backend),
        )


def buses(found: Sequence[Bus], events: bool) -> str:
    """Buses in a few words: layouts, those beyond the main one in brackets."""
    words = [bus.layout or f"{bus.channels} ch" for bus in found]
    words = [w if bus.kind == "main" else f"({w})" for w, bus in zip(words, found, strict=True)]
    return " + ".join([*words, *(["events"] if events else [])]) or "none"


def measured(found: Mapping[str, Any] | None) -> str:
    """A measurement in a word or two."""
    if found is None:
        return ""
    if found["onset"] is None:
        return found["agreement"]
    return f"{found['measured']}" + ("" if found["agreement"] == "agrees" else f" ({found['agreement']})")


def print_files(files: Sequence[FileResult], latencies: Latencies, everything: bool) -> None:
    """The good plugins; then what is not good, with reasons."""
    shown = [f for f in files if f.present or everything]
    if found := list(rows(shown, latencies)):
        _print_table(HEADERS, found)
    bad = [f for f in shown if f.verdict != "good" or any(c.verdict != "good" for c in f.classes)]
    if bad:
        if found:
            print()
        _print_table(("file", "verdict", "reason"), [(f.path, f.verdict, f.reason) for f in bad])
        print("\n`patchwright plugins retry` looks at these again.")
    if away := [f for f in files if not f.present and not everything]:
        say(f"{len(away)} files that were scanned are no longer there; --all shows them")
    if not files:
        print("no plugins are known; `patchwright plugins scan` looks for them")


def print_presets(plugin: str, folder: str, found: Sequence[Mapping[str, Any]]) -> None:
    """The presets of a plugin, and where one's own are."""
    if found:
        whose = ["the plugin's" if f["path"] is None else "own" if f["own"] else "" for f in found]
        where = [f["path"] or f"{f['param']} at {f['value']:.4g}" for f in found]
        names = [f["name"] for f in found]
        _print_table(("preset", "whose", "file, or param"), list(zip(names, whose, where, strict=True)))
    else:
        print(f"there are no presets of {plugin}")
    print(f"\nyour own are in {folder}")


def print_markdown(files: Sequence[FileResult], latencies: Latencies) -> None:
    """The good plugins as a table of a document."""
    print("| " + " | ".join(h.lstrip(">") for h in HEADERS) + " |")
    print("|" + "|".join("--:" if h.startswith(">") else "---" for h in HEADERS) + "|")
    for row in rows([f for f in files if f.present], latencies):
        print("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |")


def print_report(report: Report) -> None:
    """What a scan did, in lines; what is not good in full."""
    for file in report.looked:
        if file.verdict != "good" or file.reason:
            print(f"{file.path}: {file.verdict}: {file.reason}")
            for line in file.detail.splitlines():
                print(f"    {line}")
    counts = report.counts()
    words = ", ".join(f"{counts[v]} {v}" for v in VERDICTS if v in counts) or "nothing new"
    print(f"{words}; {report.unchanged} unchanged, {report.gone} gone; {report.seconds:.1f} s")


def print_file(file: FileResult, latencies: Latencies) -> None:
    """A file in full."""
    console = _console()
    console.print(f"{file.path}: {file.verdict}" + (f", {file.reason}" if file.reason else ""))
    if not file.present:
        console.print("it is no longer there")
    for line in file.detail.splitlines():
        console.print(f"    {line}")
    for known in file.classes:
        _print_class(console, file, known, latencies)


def _print_class(console: Console, file: FileResult, known: ClassResult, latencies: Latencies) -> None:
    description = known.description
    console.print(f"\n{known.name} ({known.uid}): {known.verdict}" + (f", {known.reason}" if known.reason else ""))
    if description is None:
        return
    runs = BACKENDS.get(known.backend, known.backend)
    facts = [("vendor", description.vendor), ("version", description.version), ("category", description.category)]
    facts += [("runs on", runs + (f"; {known.note}" if known.note else ""))]
    facts += [("latency", f"{description.latency_frames} frames at 48000 Hz")]
    for (path, uid, rate), found in sorted(latencies.items()):
        if (path, uid) == (file.path, known.uid):
            facts.append(("measured", f"{measured(found)} frames at {rate} Hz"))
    for word, side in (("input", description.inputs), ("output", description.outputs)):
        for bus in side:
            accepted = ", ".join(bus.layouts) or bus.layout or f"{bus.channels} channels"
            facts.append((word, f"{bus.name} ({bus.kind}{'' if bus.on else ', off'}): {accepted}"))
    facts += [("events", "taken")] if description.events_in else []
    for word, value in facts:
        if value:
            console.print(f"  {word}: {value}")
    if description.params:
        console.print()
        params = [
            (str(p.id), p.name, p.group, p.unit, str(p.steps or ""), f"{p.default:.4g}", p.low, p.high, _marks(p))
            for p in description.params
        ]
        columns = (">id", "param", "group", "unit", ">steps", ">default", "at 0", "at 1", "")
        if not any(p.group for p in description.params):
            columns, params = tuple(c for c in columns if c != "group"), [(*row[:2], *row[3:]) for row in params]
        _print_table(columns, params)
    for param in description.params:
        if param.program and param.values:
            console.print(f"\n{param.name}, programs: {', '.join(param.values)}")


def _marks(param: Any) -> str:
    marks = ("bypass", "read_only", "hidden", "program")
    return ", ".join([m.replace("_", " ") for m in marks if getattr(param, m)])


def print_latencies(results: Sequence[Mapping[str, Any]]) -> None:
    """Measured beside reported."""
    columns = ("plugin", ">rate", ">block", ">reported", ">onset", ">peak", ">level", "")
    keys = ("rate", "block", "reported", "onset", "peak")
    found = [
        (
            r["name"],
            *("" if r[k] is None else str(r[k]) for k in keys),
            f"{r['level']:.3g}",
            MEANINGS[r["agreement"]],
        )
        for r in results
    ]
    _print_table(columns, found)


MEANINGS = {
    "agrees": "as reported",
    "later": "sounds later than reported",
    "earlier": "sounds before what it reports",
    "silent": "nothing came out",
    "noisy": "it makes sound by itself, never the same",
}


def _console() -> Console:
    return Console(highlight=False, soft_wrap=True, markup=False)


def _print_table(columns: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        right = column.startswith(">")
        whole = right or column == "plugin"
        table.add_column(column.lstrip(">"), justify="right" if right else "left", no_wrap=whole, overflow="fold")
    for line in lines:
        table.add_row(*map(escape, line))
    width = None if sys.stdout.isatty() else WIDE
    Console(highlight=False, soft_wrap=True, width=width).print(table)
