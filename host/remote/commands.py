"""``patchwright controls``: which MIDI control moves which param of a patch."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from graph.errors import PatchError
from host.commands import Json, PatchFile, fail, print_json


def controls(
    patch: PatchFile,
    what: Annotated[
        str | None,
        typer.Argument(metavar="NODE.PARAM", help="What to move; or play, stop, toggle, start, loop, record."),
    ] = None,
    from_: Annotated[
        str, typer.Option("--from", metavar="CONTROL", help="'cc 1 74', 'nrpn 1 300', 'pitch_bend 1', 'note 10 36'.")
    ] = "",
    learn: Annotated[bool, typer.Option("--learn", help="The control that is moved next.")] = False,
    midi: Annotated[str, typer.Option(metavar="NAME", help="With --learn: the controller, or part of its name.")] = "",
    seconds: Annotated[float, typer.Option(min=0.1, max=3600, help="With --learn: how long to wait.")] = 30.0,
    jump: Annotated[bool, typer.Option("--jump", help="Move at once, not only from where they meet.")] = False,
    forget: Annotated[bool, typer.Option("--forget", help="Let nothing move it any more.")] = False,
    json_: Json = False,
) -> None:
    """Show or change which MIDI control moves which param, or is for the transport; the patch keeps it."""
    if sum((bool(from_), learn, forget)) > 1:
        raise typer.BadParameter("give one of --from, --learn and --forget")
    if learn and not midi:
        raise typer.BadParameter("--learn needs --midi NAME")
    if bool(from_ or learn or forget) != (what is not None):
        raise typer.BadParameter("to change something, give what, and one of --from, --learn and --forget")
    try:
        rows, problems = _done(patch, what, from_, midi if learn else None, seconds, jump)
    except (PatchError, ValueError) as error:
        fail(str(error))
    if json_:
        print_json(rows)
    else:
        for row in rows:
            takeover = {"jump": ", at once", "pickup": ", from where they meet"}.get(row["takeover"], "")
            print(f"{row['from']}: {row['to']}{takeover}")
    for problem in problems:
        _note(problem)


def _note(text: str) -> None:
    sys.stderr.write(f"note: {text}\n")


def _done(
    path: Path, what: str | None, written: str, midi: str | None, seconds: float, jump: bool
) -> tuple[list[dict[str, str]], list[str]]:
    """Do what is asked for; the controls there are then, and what in them is not understood."""
    from graph.document import Patch as Document
    from host.remote import choosing
    from host.remote.ports import Port, why_none
    from host.remote.sources import parse
    from nodes import kinds

    patch = Document.load(path)
    if what is not None:
        target = choosing.meant(patch, kinds(), what)
        source = parse(written) if written else None
        if midi is not None:
            if reason := why_none():
                raise PatchError(reason)
            sys.stderr.write(f"Move the control for {what} …\n")
            port = Port(midi, _note)
            try:
                source = choosing.learned(port, target, seconds)
            finally:
                port.close()
        patch.metadata = choosing.chosen(patch, target, source, "jump" if jump else "pickup")
        patch.save(path)
    return choosing.listed(patch)
