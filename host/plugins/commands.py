"""``patchwright plugins``: ``scan``, ``list``, ``info``, ``presets``, ``retry`` and ``measure``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from host.commands import Json, fail, print_json

plugins = typer.Typer(help="Find, list, describe and measure plugins.", add_completion=False, no_args_is_help=True)

Words = Annotated[list[str] | None, typer.Argument(metavar="PLUGIN…", help="Names, ids or paths.")]
Seconds = Annotated[
    float, typer.Option("--timeout", min=1, max=3600, metavar="S", help="How long a plugin may give no answer.")
]
Megabytes = Annotated[
    int, typer.Option("--memory", min=64, max=1 << 20, metavar="MIB", help="How much memory a plugin may take.")
]
Jobs = Annotated[int, typer.Option(min=0, max=16, help="Files looked at at once; 0: one for each processor.")]


def _fail(message: str, status: int = 1) -> None:
    fail(" ".join(message.split()), status)


@contextmanager
def _plain_errors() -> Iterator[None]:
    from host.plugins.store import StoreError

    try:
        yield
    except (StoreError, ValueError) as error:
        _fail(str(error))
    except KeyboardInterrupt:
        _fail("stopped; what was found out so far is kept, and the next scan goes on from there", 130)


@plugins.command("scan")
def scan(
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="PATH…", help="Only these files and folders; default: all folders.")
    ] = None,
    add_folder: Annotated[list[Path] | None, typer.Option(metavar="FOLDER", help="Look here too, from now on.")] = None,
    remove_folder: Annotated[list[Path] | None, typer.Option(metavar="FOLDER", help="No longer look here.")] = None,
    everything: Annotated[bool, typer.Option("--again", help="Also what has not changed.")] = False,
    timeout: Seconds = 30.0,
    memory: Megabytes = 2048,
    jobs: Jobs = 0,
    json_: Json = False,
) -> None:
    """Look at the plugin files that are new or changed, each in a process of its own.

    Exit status 0, whatever the verdicts.
    """
    from host.plugins import report
    from host.plugins.database import say
    from host.plugins.folders import find
    from host.plugins.scan import Scan
    from host.plugins.store import Store
    from host.plugins.trial import Limits

    with _plain_errors(), Store() as store:
        for folder in add_folder or []:
            if not folder.is_dir():
                raise ValueError(f"{folder}: expected a folder")
            store.add_folder(folder)
        for folder in remove_folder or []:
            if not store.remove_folder(folder):
                raise ValueError(f"{folder} is none of the added folders")
        for path in paths or []:
            if not path.exists():
                raise ValueError(f"{path}: there is nothing")
        with report.progress("scanning plugins") as progress:
            work = Scan(store, say, limits=Limits(timeout, memory), jobs=jobs, progress=progress)
            done = work.these(find(paths, say), everything) if paths else work.everything(everything)
        if json_:
            print_json(report.report_data(done, store.latencies()))
        else:
            report.print_report(done)


@plugins.command("retry")
def retry(
    words: Words = None, timeout: Seconds = 30.0, memory: Megabytes = 2048, jobs: Jobs = 0, json_: Json = False
) -> None:
    """Look again at the plugins named, or at all that are not good."""
    from host.plugins import report
    from host.plugins.database import say
    from host.plugins.folders import candidate
    from host.plugins.scan import Scan, chosen
    from host.plugins.store import Store
    from host.plugins.trial import Limits

    with _plain_errors(), Store() as store:
        found = [candidate(Path(file.path)) for file in chosen(store, words or [])]
        with report.progress("scanning plugins") as progress:
            work = Scan(store, say, limits=Limits(timeout, memory), jobs=jobs, progress=progress)
            done = work.these([c for c in found if c and c.path.exists()], again=True)
        if json_:
            print_json(report.report_data(done, store.latencies()))
        else:
            report.print_report(done)


@plugins.command("list")
def list_(
    everything: Annotated[bool, typer.Option("--all", help="Also files that are no longer there.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="The good ones, as a table for a document.")] = False,
    json_: Json = False,
) -> None:
    """The plugins that scans found, and what is wrong with those that are not good."""
    from host.plugins import report
    from host.plugins.store import Store

    with _plain_errors(), Store() as store:
        files, latencies = store.files(), store.latencies()
    if json_:
        print_json([report.file_data(f, latencies, brief=True) for f in files if f.present or everything])
    elif markdown:
        report.print_markdown(files, latencies)
    else:
        report.print_files(files, latencies, everything)


@plugins.command("info")
def info(
    words: Annotated[list[str], typer.Argument(metavar="PLUGIN…", help="Names, ids or paths.")], json_: Json = False
) -> None:
    """All that is known of plugins: buses, layouts, params, latency, verdict."""
    from host.plugins import report
    from host.plugins.scan import chosen
    from host.plugins.store import Store

    with _plain_errors(), Store() as store:
        files, latencies = chosen(store, words), store.latencies()
    if json_:
        print_json([report.file_data(f, latencies) for f in files])
        return
    for file in files:
        report.print_file(file, latencies)


@plugins.command("presets")
def presets_(
    plugin: Annotated[str, typer.Argument(metavar="PLUGIN", help="Its name, id or path.")],
    add: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Take a .vstpreset into your own presets.")
    ] = None,
    json_: Json = False,
) -> None:
    """The presets of a plugin: its own programs, your presets, and those of other software."""
    from host.plugins import report
    from host.plugins.presets import PresetFolder, pack, read
    from host.plugins.scan import chosen
    from host.plugins.store import Store

    with _plain_errors(), Store() as store:
        known = [c for file in chosen(store, [plugin]) for c in file.classes if c.description is not None]
        exact = [c for c in known if plugin.lower() in (c.name.lower(), c.uid.lower())] or known
        if len({c.uid for c in exact}) != 1:
            have = ", ".join(sorted(c.name for c in exact)) or "none that is good"
            raise ValueError(f"{plugin!r} is to mean one plugin; it means {have}")
        (description,) = {c.uid: c.description for c in exact if c.description}.values()
        folder = PresetFolder(description)
        for path in add or []:
            folder.save(path.stem, pack(read(path)))
        found: list[dict[str, Any]] = [
            {"name": name, "path": None, "own": False, "param": param.name, "value": k / max(len(param.values) - 1, 1)}
            for param in description.params
            if param.program
            for k, name in enumerate(param.values)
        ]
        found += [
            {"name": name, "path": str(path), "own": folder.is_own(path)}
            for name, path in sorted(folder.list().items())
        ]
    if json_:
        print_json(found)
    else:
        report.print_presets(description.name, str(folder.own), found)


@plugins.command("measure")
def measure(
    words: Words = None,
    rate: Annotated[int, typer.Option(min=8000, max=384000, metavar="HZ")] = 48000,
    block: Annotated[int, typer.Option(min=1, max=8192, metavar="FRAMES")] = 512,
    timeout: Seconds = 60.0,
    memory: Megabytes = 2048,
    json_: Json = False,
) -> None:
    """Send an impulse, or a note, through plugins, and show the measured latency beside the reported. All, if none
    is named. Exit status 1 where one could not be measured.
    """
    from host.plugins import report
    from host.plugins.measuring import latency, measurable
    from host.plugins.store import Store
    from host.plugins.trial import Limits

    results: list[dict[str, Any]] = []
    failed = 0
    with _plain_errors(), Store() as store:
        wanted = measurable(store, words or [])
        with report.progress("measuring") as progress:
            for count, found in enumerate(wanted, 1):
                try:
                    results.append(latency(store, found, rate, block, Limits(timeout, memory)))
                except ValueError as error:
                    failed += 1
                    sys.stderr.write(f"patchwright: {error}\n")
                progress(count, len(wanted), found.path)
    if json_:
        print_json(results)
    elif results:
        report.print_latencies(results)
    raise typer.Exit(1 if failed else 0)
