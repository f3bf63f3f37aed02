"""What commands of the command line have in common: how they end, what they print, how they show that they go on."""

from __future__ import annotations

import io
import json
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from graph.document import Patch

PatchFile = Annotated[Path, typer.Argument(help="A patch: .pwp or .json.", metavar="PATCH")]
Json = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]


def printable(text: str) -> str:
    """Text as a terminal may have it: what comes from a file could hold the terminal's own commands."""
    return "".join(c if c.isprintable() or c == "\n" else "�" for c in text)


def say(text: str) -> None:
    """A line on standard error."""
    sys.stderr.write(f"{printable(text)}\n")
    sys.stderr.flush()


def fail(message: str, status: int = 1) -> NoReturn:
    """End with one line on standard error."""
    say(f"patchwright: {message}")
    raise typer.Exit(status)


@contextmanager
def plain_errors() -> Iterator[None]:
    """Problems in what was given become one line and exit status 1."""
    try:
        yield
    except typer.Exit:
        raise
    except KeyboardInterrupt:
        fail("stopped; nothing was left half-written", 130)
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}" if error.filename else " ".join(str(error).split()))
    except (ValueError, RuntimeError) as error:
        if type(error).__module__.split(".")[0] in ("graph", "host", "nodes") or isinstance(error, RuntimeError):
            fail(" ".join(str(error).split()))
        raise


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """SIGTERM and a closed terminal end things as Ctrl-C does, but not where they are ignored, as below `nohup`."""

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    names = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {name: signal.signal(name, end) for name in names if signal.getsignal(name) != signal.SIG_IGN}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def loaded(path: Path) -> Patch:
    """The patch in a file. Raises PatchError."""
    from graph.patchfile import load

    return load(path)


def print_json(answer: Any) -> None:
    """An answer for programs."""
    print_utf8(json.dumps(answer, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def print_utf8(text: str) -> None:
    """JSON, which is UTF-8 between programs (RFC 8259) whatever a terminal here would speak."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    sys.stdout.write(text)


def refuse_existing(path: Path) -> None:
    """End where there is such a file already."""
    if path.exists():
        fail(f"{path} is there already, and is left as it is")


@contextmanager
def progress_of(label: str) -> Iterator[Callable[[int, int], None] | None]:
    """A progress bar on standard error where that is a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=1.0)
        yield lambda done, total: bar.update(task, completed=done / max(total, 1))
