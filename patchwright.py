"""Patchwright: a node-graph audio host. This is the command line.

Exit status: 0 done; 1 a problem in what was given, said in one line on standard error; 2 wrong usage.
"""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from host.commands import Json, PatchFile, ended_by_signals, fail, loaded, plain_errors, print_json, progress_of, say
from host.devices.commands import devices
from host.learning import learn
from host.patch_commands import convert, diff, new, show
from host.plugins.commands import plugins
from host.remote.commands import controls
from host.usernodes.commands import nodes

# Before numpy is loaded: threads of a matrix product that wait for each other awake cost more than they bring here.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

__version__ = "0.1.0"

app = typer.Typer(
    help="Wire, play and render audio graphs. A patch is a .pwp file or its .json twin.",
    no_args_is_help=False,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(plugins, name="plugins")
app.add_typer(devices, name="devices")
app.add_typer(nodes, name="nodes")
app.command()(learn)
app.command("controls")(controls)

PluginsIn = Annotated[
    Literal["plugin", "chain", "patch"],
    typer.Option(
        "--plugins-in",
        help="A process for each plugin, for each serial chain of them, or one for all of the patch.",
    ),
]


def _pairs(values: list[str], shape: str) -> dict[str, str]:
    """``KEY=VALUE`` options as a dict; a key given twice, or no ``=``, is wrong usage."""
    found: dict[str, str] = {}
    for value in values:
        key, equals, rest = value.partition("=")
        if not equals or not key or not rest:
            raise typer.BadParameter(f"expected {shape}, got {value!r}")
        if key in found:
            raise typer.BadParameter(f"{key} is given twice")
        found[key] = rest
    return found


def _settings(values: list[str]) -> dict[tuple[str, str], float]:
    found: dict[tuple[str, str], float] = {}
    for key, text in _pairs(values, "NODE.PARAM=VALUE").items():
        node, dot, param = key.rpartition(".")
        if not dot or not node or not param:
            raise typer.BadParameter(f"expected NODE.PARAM=VALUE, got {key!r}")
        try:
            # A yes or no stays one: it fits switches only.
            found[node, param] = text.lower() == "true" if text.lower() in ("true", "false") else float(text)
        except ValueError:
            raise typer.BadParameter(f"{key}: expected a number, got {text!r}") from None
    return found


@app.command()
def render(
    patch: PatchFile,
    out: Annotated[
        list[str],
        typer.Option("--out", metavar="NODE=FILE", help="Write an audio_out to a file (.wav .flac .aiff .ogg)."),
    ] = [],  # noqa: B006
    in_: Annotated[
        list[str],
        typer.Option("--in", metavar="NODE=FILE", help="Feed an audio_in from a file, a midi_in from a MIDI file."),
    ] = [],  # noqa: B006
    set_: Annotated[
        list[str], typer.Option("--set", metavar="NODE.PARAM=VALUE", help="Give a param another value.")
    ] = [],  # noqa: B006
    snapshot: Annotated[str | None, typer.Option(help="Apply a snapshot of the patch first.")] = None,
    rate: Annotated[
        int | None,
        typer.Option(metavar="HZ", help="Sample rate; default: the patch's, else the first input's, else 48000."),
    ] = None,
    block: Annotated[
        int, typer.Option(metavar="FRAMES", help="Block size, a multiple of 64; it does not change the samples.")
    ] = 512,
    start: Annotated[float, typer.Option(help="Seconds of the timeline that come before what is written.")] = 0.0,
    seconds: Annotated[
        float | None, typer.Option(help="Length to render; default: the longest input and its tail.")
    ] = None,
    tail: Annotated[
        float | None, typer.Option(help="Seconds after the longest input; default: until −120 dBFS, at most 30.")
    ] = None,
    subtype: Annotated[str | None, typer.Option(help="FLOAT, PCM_16 or PCM_24.")] = None,
    dither: Annotated[
        bool, typer.Option("--dither", help="Add triangular dither before rounding to integers (PCM_16, PCM_24).")
    ] = False,
    threads: Annotated[
        int, typer.Option(help="Threads to work with; it does not change the samples.", min=1, max=64)
    ] = 1,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="Render without what is missing, and say what that is.")
    ] = False,
    tag: Annotated[
        list[str],
        typer.Option("--tag", metavar="KEY=VALUE", help="Tag the files: title, artist, isrc, time_reference, …"),
    ] = [],  # noqa: B006
    plugins_in: PluginsIn = "chain",
    json_: Json = False,
) -> None:
    """Render a patch to files, faster than real time."""
    if block < 64 or block % 64 or block > 16384:
        raise typer.BadParameter(f"a block is a multiple of 64 frames, up to 16384; got {block}", param_hint="--block")
    if seconds is not None and tail is not None:
        raise typer.BadParameter("give --seconds or --tail, not both")
    outputs, inputs = _pairs(out, "NODE=FILE"), _pairs(in_, "NODE=FILE")
    values, tags = _settings(set_), _pairs(tag, "KEY=VALUE")
    with plain_errors(), ended_by_signals():
        from host.rendering import render as run
        from host.rendering import render_result

        document = loaded(patch)
        with progress_of(f"rendering {patch.name}") as progress:
            report = run(
                document,
                outputs,
                inputs,
                rate=rate,
                block=block,
                start=start,
                seconds=seconds,
                tail=tail,
                subtype=subtype,
                dither=dither,
                threads=threads,
                allow_missing=allow_missing,
                tags=tags,
                settings=values,
                snapshot=snapshot,
                plugins_in=plugins_in,
                progress=progress,
            )
    if json_:
        print_json(render_result(report))
        return
    for note in report.notes:
        say(f"note: {note}")
    for id, file in report.files.items():
        print(f"{id}: {file}")
    print(
        f"{report.seconds:.2f} s of audio at {report.rate} Hz in {report.elapsed_s:.2f} s "
        f"({report.speed:.0f} × real time)"
    )


@app.command()
def check(
    patch: PatchFile,
    json_: Json = False,
    rate: Annotated[
        int | None, typer.Option(metavar="HZ", min=1000, max=768_000, help="Sample rate to check for.")
    ] = None,
) -> None:
    """Find what is wrong with a patch, and show the latency of every path to every output."""
    with plain_errors():
        from graph.errors import PatchError
        from host.checking import check as run
        from host.checking import unreadable
        from host.services import FileServices
        from nodes import kinds

        try:
            document = loaded(patch)
        except PatchError as error:
            if not json_:
                raise
            found = unreadable(patch, error)
        else:
            found = run(document, kinds(), FileServices(document.folder or Path.cwd()), rate)
    if json_:
        print_json(found.to_dict())
        raise typer.Exit(0 if found.ok else 1)
    for finding in found.findings:
        say(f"{finding.place}: {finding.message}" if finding.place else finding.message)
    for note in found.notes:
        say(f"note: {note.place}: {note.message}")
    for output in found.outputs:
        print(f"{output.node}: {output.latency} frames of latency")
        for path in output.paths:
            added = f" + {path.compensation} compensation" if path.compensation else ""
            print(f"  {' -> '.join(path.nodes)}: {path.latency} frames{added}")
        if not output.complete:
            print(f"  … and more; only the first {len(output.paths)} paths are listed")
    if found.schedule:
        for inserted in found.schedule.compensations:
            print(f"compensation: {inserted.frames} frames on {inserted.cable}")
        for loop in found.schedule.loops:
            for through, frames in loop.periods:
                print(f"loop of {', '.join(loop.nodes)}: {frames} frames through {through}")
    if not found.ok:
        raise typer.Exit(1)
    print("no problems found")


for command in (convert, show, diff, new):
    app.command()(command)


@app.command()
def doctor(json_: Json = False) -> None:
    """What this machine has, and what is wrong with it."""
    from host.doctor import examine

    lines = examine()
    if json_:
        print_json([{"subject": n.subject, "good": n.good, "needed": n.needed, "found": n.found} for n in lines])
    else:
        for line in lines:
            print(f"{'ok  ' if line.good else 'BAD ' if line.needed else 'note'}  {line.subject}: {line.found}")
    if any(line.needed and not line.good for line in lines):
        raise typer.Exit(1)


@app.command()
def measure(files: Annotated[list[Path], typer.Argument(metavar="FILE…")], json_: Json = False) -> None:
    """Loudness (EBU R128), true peak, peak, RMS and DC of audio files."""
    results: list[dict[str, Any]] = []
    with plain_errors():
        from host.measure import measure_file

        for file in files:
            with progress_of(f"measuring {file.name}") as progress:
                results.append(measure_file(file, progress).to_dict())
    if json_:
        print_json(results)
        return
    from host.tables import print_measurements

    print_measurements(results)


@app.command()
def edit(
    patch: Annotated[Path | None, typer.Argument(help="The patch to open; without one, a new one.")] = None,
    device: Annotated[str | None, typer.Option("--device", metavar="NAME", help="Play through this device.")] = None,
    silent: Annotated[bool, typer.Option("--no-engine", help="Edit without sound.")] = False,
    safe: Annotated[bool, typer.Option("--safe", help="Safe mode: with plugins and nodes of your own off.")] = False,
    new: Annotated[bool, typer.Option("--new", help="Begin an empty patch, also on a first start.")] = False,
) -> None:
    """Open the editor."""
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        fail("there is no display to open the editor on; `patchwright render` and `patchwright run` need none")
    with plain_errors():
        from editor.files.start import open_editor

        open_editor(patch, device=device, sound=not silent, safe=safe, new=new)


@app.command()
def run(
    patch: PatchFile,
    device: Annotated[str, typer.Option(metavar="NAME", help="Output device, or part of its name; null: none.")] = "",
    in_device: Annotated[str, typer.Option("--in-device", metavar="NAME", help="Input device.")] = "",
    rate: Annotated[int | None, typer.Option(metavar="HZ", min=8000, max=384_000, help="Default: the patch's.")] = None,
    block: Annotated[int | None, typer.Option(metavar="FRAMES", min=1, max=8192, help="Default: the device's.")] = None,
    seconds: Annotated[float | None, typer.Option(min=0, max=1e7, help="End after so much was played.")] = None,
    osc: Annotated[int | None, typer.Option(metavar="PORT", min=0, max=65535, help="Listen for OSC here.")] = None,
    midi: Annotated[str, typer.Option(metavar="NAME", help="MIDI controller, or part of its name.")] = "",
    plugins_in: PluginsIn = "plugin",
    disk_cache: Annotated[
        int | None,
        typer.Option(
            "--disk-cache",
            metavar="MB",
            min=0,
            max=1 << 24,
            help="Memory for copies of played files; 0: none. Default: a quarter of what is free, at most 4000.",
        ),
    ] = None,
) -> None:
    """Play a patch live. Exit status 1 where sound dropped out, or the patch has problems."""
    with plain_errors():
        from host.terminal import run as play

        wishes = {"device": device, "in_device": in_device, "rate": rate or 0, "block": block or 0}
        how = {"plugins_in": plugins_in, "disk_cache_mb": disk_cache}
        status = play(patch, **wishes, **how, seconds=seconds, osc=osc, midi=midi)
    raise typer.Exit(status)


@app.callback(invoke_without_command=True)
def _start(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    if version:
        print(__version__)
        raise typer.Exit(0)
    if context.invoked_subcommand is None:
        edit(None)


COMMANDS = frozenset(
    {c.name or c.callback.__name__ for c in app.registered_commands if c.callback} | {"plugins", "devices", "nodes"}
)


def main() -> None:
    """The entry point. A first word that is no command is a patch for the editor."""
    words = sys.argv[1:]
    if (
        words
        and not words[0].startswith("-")
        and words[0] not in COMMANDS
        and (Path(words[0]).suffix in (".pwp", ".json") or Path(words[0]).exists())
    ):
        sys.argv.insert(1, "edit")
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # not every terminal has every sign
    try:
        app(prog_name="patchwright")
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


if __name__ == "__main__":
    main()
