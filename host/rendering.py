"""Offline rendering: from a patch and files to files, in constant memory, with the samples a live run would give."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from graph.compiler import DEFAULT_RATE, compile
from graph.document import Patch
from graph.errors import PatchError
from graph.groups import expand
from graph.schedule import Schedule
from graph.spec import Kinds
from host.audiofile import open_audio
from host.checking import other_versions
from host.native.events import LOST
from host.native.source import KernelError
from host.offline import CHUNK, Offline
from host.plugins.grouping import checked_grouping
from host.render_files import PathLike, RenderError, RenderFiles
from host.services import FileServices
from host.sinking import LONGEST_TAIL_S, Sink, quiet_frames
from host.usernodes.words import compiler_words
from host.values import set_states, set_values, snapshot_states, snapshot_values

if TYPE_CHECKING:
    from host.plugins.link import Link

BLOCK_OF_PLUGINS = 8192
"""Frames that plugins are handed at once where nothing moves them: a hand-over costs the same for a short block."""
LONGEST_S = 366 * 24 * 3600.0


@dataclass
class RenderReport:
    """What a render did."""

    rate: int
    frames: int
    elapsed_s: float
    files: dict[str, str]
    clipped: dict[str, int]
    peaks: dict[str, float]
    """Highest absolute sample of each output, linear."""
    scrubbed: int
    """Samples that were NaN or infinite, and became silence: in what came in, and going round loops."""
    notes: list[str] = field(default_factory=list[str])

    @property
    def seconds(self) -> float:
        """Length of what was rendered."""
        return self.frames / self.rate

    @property
    def speed(self) -> float:
        """Seconds of audio per second of rendering."""
        return self.seconds / max(self.elapsed_s, 1e-9)


def render(
    patch: Patch,
    outputs: Mapping[str, PathLike] | None = None,
    inputs: Mapping[str, PathLike] | None = None,
    *,
    rate: int | None = None,
    block: int = 512,
    start: float = 0.0,
    seconds: float | None = None,
    tail: float | None = None,
    subtype: str | None = None,
    dither: bool = False,
    threads: int = 1,
    allow_missing: bool = False,
    tags: Mapping[str, str] | None = None,
    settings: Mapping[tuple[str, str], float] | None = None,
    snapshot: str | None = None,
    plugins_in: str = "chain",
    kinds: Kinds | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> RenderReport:
    """Render a patch: ``inputs`` and ``outputs`` are files by the ids of ``audio_in`` and ``audio_out`` nodes; an input
    is a MIDI file for a ``midi_in`` node.

    The length is ``seconds``, else that of the longest input and a tail: ``tail`` seconds, or until everything is
    below −120 dBFS (at most 30 s). The rate is ``rate``, else the patch's, else the first input's, else 48000 Hz.
    Outputs start ``start`` seconds from timeline zero, and are sample for sample what a render of the whole has from
    there on: what comes before is worked out, and not written. Latency is taken away. ``settings`` are param values by
    (node, param) that go before the patch's and the snapshot's, but not before automation. No file has its final name
    before it is whole. ``dither`` needs a file that rounds to whole numbers. ``plugins_in``: which plugins share a
    process: none (``plugin``), those of a serial ``chain``, or all of the ``patch``.

    Raises PatchError, RenderError or AudioFileError, each one clear line.
    """
    if kinds is None:
        from nodes import kinds as built_in

        kinds = built_in()
    notes: list[str] = []
    patch = _adjusted(patch, snapshot, settings or {}, kinds, notes)
    if rate is None:
        rate = patch.sample_rate or _first_rate(patch, inputs or {}) or DEFAULT_RATE
    if not 1000 <= rate <= 768_000:
        raise RenderError(f"a sample rate of {rate} Hz is outside 1000 to 768000")
    with ExitStack() as stack:
        block = min(block, CHUNK)
        plugins = stack.enter_context(_link(patch, max(block, BLOCK_OF_PLUGINS), plugins_in))
        services = FileServices(patch.folder or Path.cwd(), plugins)
        missing: list[PatchError] | None = [] if allow_missing else None
        schedule = compile(patch, kinds, services, rate, missing=missing, parallel=threads > 1)
        if plugins and _settled(plugins.settle):
            # Some plugins are later than they were known to be: only once they are loaded can that be told.
            missing = [] if allow_missing else None
            schedule = compile(patch, kinds, services, rate, missing=missing, parallel=threads > 1)
        notes += [str(error) for error in missing or ()]
        if plugins:
            notes += [f"{found.node}: {found.message}" for found in other_versions(patch, kinds, services)]
            block = block if _moves_plugins(schedule) else max(block, BLOCK_OF_PLUGINS)
        files = RenderFiles(schedule, services, stack, notes, allow_missing)
        longest = files.open_inputs(inputs or {})
        first, frames, tail_frames = _range(start, seconds, tail, longest, rate)
        files.open_outputs(outputs or {}, subtype, dither, tags or {})
        try:
            offline = stack.enter_context(Offline(schedule, services, block, threads, feeds=files.feeds))
        except KernelError as error:
            raise RenderError(compiler_words(error)) from None
        started = perf_counter()
        sink = Sink(files.writers, first, frames, tail_frames, quiet_frames(schedule) if tail_frames < 0 else 0)
        offline.drains.update(
            {
                id: sink.drain_for(id, stream.channels)
                for id, stream in offline.program.streams.items()
                if stream.flow == "out"
            }
        )
        latest = max((n.arrival for n in schedule.nodes), default=0)
        total = frames + max(tail_frames, 0) if tail_frames >= 0 else frames + round(LONGEST_TAIL_S * rate)
        for done in offline.run(total + latest):
            if plugins:
                _settled(plugins.check)
            sink.settle(done - latest)
            if progress:
                progress(max(0, min(done - latest, frames)), frames)
            if sink.finished:
                break
        length = sink.close(total)
        elapsed = perf_counter() - started
        for writer in files.writers.values():
            writer.commit()
        written = {id: str(writer.path) for id, writer in files.writers.items()}
        clipped = {id: writer.clipped for id, writer in files.writers.items()}
        notes += [f"{id}: {count} samples were clipped" for id, count in clipped.items() if count]
        unsound = files.unsound(offline)
        lost = int(offline.program.context[LOST])
        notes += [f"{lost} events were lost: more came at once than there is room for"] if lost else []
        notes += [f"{place}: {count} samples were NaN or infinite, and became silence" for place, count in unsound]
        scrubbed = sum(count for _, count in unsound)
        return RenderReport(rate, length, elapsed, written, clipped, dict(sink.peaks), scrubbed, notes)


def _link(patch: Patch, block: int, plugins_in: str) -> AbstractContextManager[Link | None]:
    """A link to plugins, for a patch that has some."""
    grouping = checked_grouping(plugins_in)
    if all(entry.kind != "plugin" for entry in expand(patch).nodes.values()):
        return nullcontext()
    from host.plugins.link import Link

    link = Link(live=False, block=block, grouping=grouping)
    link.note_chains(patch)
    return link


def _moves_plugins(schedule: Schedule) -> bool:
    """Whether params of plugins move, or notes come to them: many plugins take over once in a block what they are told,
    whatever its frame.
    """
    return any(
        n.kind.submit is not None
        and (
            any(p.name in n.config.driven for p in n.kind.params(n.config.settings))
            or any(p.type == "events" and p.name in n.config.plugged for p in n.kind.ports(n.config.settings))
        )
        for n in schedule.nodes
    )


def _settled(what: Callable[[], Any]) -> Any:
    """What a link answers; a plugin that fails a render is one of the things that end it in one line."""
    from host.plugins.link import PluginsFailedError

    try:
        return what()
    except PluginsFailedError as error:
        raise RenderError(str(error)) from None


def _adjusted(
    patch: Patch, snapshot: str | None, settings: Mapping[tuple[str, str], float], kinds: Kinds, notes: list[str]
) -> Patch:
    """A copy of the patch with a snapshot and single values applied."""
    patch = patch.copy()
    rows = snapshot_values(patch, snapshot) if snapshot is not None else []
    values = {(node, param): value for node, param, value in rows}
    values |= dict(settings)
    automated = {(line.node, line.param) for line in patch.automation if line.enabled}
    for (address, param), value in values.items():
        if (address, param) in automated:
            notes.append(f"{address}.{param} is automated: the automation outranks the value {value:g}")
    set_values(patch, [(*address, value) for address, value in values.items()], kinds)
    set_states(patch, snapshot_states(patch, snapshot) if snapshot is not None else [])
    return patch


def _first_rate(patch: Patch, inputs: Mapping[str, PathLike]) -> int | None:
    """The rate of the first audio that goes in."""
    kinds = {id: entry.kind for id, entry in expand(patch).nodes.items()}
    for id, path in inputs.items():
        if kinds.get(id) != "midi_in":
            with open_audio(path) as reader:
                return reader.rate
    return None


def _range(
    start: float, seconds: float | None, tail: float | None, longest: int | None, rate: int
) -> tuple[int, int, int]:
    """The first frame to write, the frame to render to for sure, and frames of tail: -1 for as long as it sounds."""
    if seconds is not None and tail is not None:
        raise RenderError("give a length or a tail, not both")
    for name, value in (("start", start), ("length", seconds), ("tail", tail)):
        if value is not None and not 0 <= value <= LONGEST_S:
            raise RenderError(f"a {name} of {value:g} seconds is outside 0 to {LONGEST_S:g}")
    first = round(start * rate)
    if seconds is not None:
        return first, first + round(seconds * rate), 0
    if longest is None:
        raise RenderError("nothing says how long to render: there is no input file; give the length in seconds")
    return first, max(longest, first), -1 if tail is None else round(tail * rate)


def render_result(report: RenderReport) -> dict[str, Any]:
    """A report as plain data."""
    return {
        "rate": report.rate,
        "frames": report.frames,
        "seconds": report.seconds,
        "elapsed_s": report.elapsed_s,
        "speed": report.speed,
        "files": report.files,
        "clipped": report.clipped,
        "peak_dbfs": {id: 20 * math.log10(peak) if peak > 0 else None for id, peak in report.peaks.items()},
        "scrubbed": report.scrubbed,
        "notes": report.notes,
    }
