"""``patchwright nodes``: the catalogue of kinds, and nodes of one's own: ``own``, ``new``, ``trust``, ``untrust``,
``check``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from host.commands import Json, fail, plain_errors, print_json, refuse_existing

if TYPE_CHECKING:
    from host.usernodes.listing import Own
    from host.usernodes.source import Source

SHOWN_LINES = 12
CATALOGUE = "catalogue"


class _Nodes(TyperGroup):
    """A first word that is no command is a kind; no word at all means all of them."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        first = next((word for word in args if not word.startswith("-")), "")
        if first not in self.commands and not {"-h", "--help"} & set(args):
            args = [CATALOGUE, *args]
        return super().parse_args(ctx, args)


nodes = typer.Typer(
    cls=_Nodes,
    help="The kinds of nodes: `nodes` lists them, `nodes KIND` shows one in full. And nodes of your own.",
    add_completion=False,
)

Files = Annotated[list[Path], typer.Argument(metavar="FILE…", help="Python files of nodes of your own, or patches.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask about the files that a patch names.")]


@nodes.command(CATALOGUE, hidden=True)
def catalogue(
    kind: Annotated[str | None, typer.Argument(help="One kind, in full.")] = None, json_: Json = False
) -> None:
    """The catalogue of kinds: ports, settings, params, units, ranges, defaults."""
    with plain_errors():
        from host.catalogue import catalogue as described_all
        from host.catalogue import described
        from host.usernodes.listing import listed
        from nodes import kinds

        known = kinds()
        if kind in known:
            chosen = [described(known[kind])]
        else:
            own = [each for each in listed() if kind in (None, each.kind, each.path, each.file.stem)]
            if kind is not None and not own:
                fail(f"there is no kind {kind!r}; there are {', '.join(known)}")
            chosen = ([] if kind is not None else described_all(known)) + [_described(each) for each in own]
    if json_:
        print_json(chosen)
        return
    from host.tables import print_catalogue, print_kind

    if kind is None:
        print_catalogue(chosen)
    else:
        print_kind(chosen[0])
        if "own" in chosen[0]:
            print(f"\n{chosen[0]['own']['file']}: {chosen[0]['own']['standing']}")


def _described(own: Own) -> dict[str, Any]:
    """A node of one's own as the catalogue has it; of one that is not trusted, what can be told without running it."""
    from host.catalogue import described
    from host.usernodes.loading import loaded
    from nodes.user import own as kind_of

    about = {"file": str(own.file), "path": own.path, "trusted": own.trusted, "standing": own.standing}
    doc, family = (own.about.doc, own.about.family) if own.about else ("", "utility")
    found: dict[str, Any] = {"doc": doc, "family": family, "bypassable": False}
    found |= {"ports": [], "settings": [], "params": []}
    if own.trusted and own.source is not None:
        from graph.errors import PatchError

        try:
            found = described(kind_of(loaded(own.source)))
        except PatchError as error:
            about["standing"] = error.message
    if about["standing"] != "trusted":
        found["doc"] = f"{found['doc']} ({about['standing']})".strip()
    return {**found, "kind": own.kind, "own": about}


@nodes.command("own")
def own_(json_: Json = False) -> None:
    """Your own nodes: what is in your node folder, and whether you trust it."""
    from host.usernodes.listing import listed
    from host.usernodes.source import node_folder

    found = listed()
    if json_:
        print_json([_described(each) for each in found])
        return
    print(f"{node_folder()}: {len(found) or 'no'} node{'s' if len(found) != 1 else ''}")
    for each in found:
        print(f"  {each.path}: {each.kind}, {each.standing}")
    if any(each.source and not each.trusted for each in found):
        print("Look at a file before you trust it: it is code, which may do what you may do.")


@nodes.command("new")
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the kind is called: small letters, digits, _.")],
    folder: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Where; default: your node folder.")] = None,
) -> None:
    """Begin a node of your own: a file that works, with comments, and is trusted as it is."""
    with plain_errors():
        from host.usernodes.source import SUFFIX, node_folder, read
        from host.usernodes.template import template
        from host.usernodes.trust import trust

        try:
            text = template(name.removesuffix(SUFFIX))
        except ValueError as error:
            fail(str(error))
        file = (folder or node_folder()) / f"{name.removesuffix(SUFFIX)}{SUFFIX}"
        refuse_existing(file)
        if folder is None:
            file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        trust(read(file).digest, file)
    print(f"{file}")


@nodes.command("trust")
def trust_(files: Files, yes: Yes = False) -> None:
    """Let files run as nodes, as they are now: each is loaded and compiled first, in a process of its own."""
    with plain_errors():
        from host.usernodes.trial import trusted_after_trial

        for source, named in _sources(files):
            if not named and not yes and not _agreed(source):
                fail(f"{source.path} is not trusted: nobody said yes; name it itself, or give --yes")
            trusted_after_trial(source)
            print(f"{source.path}: trusted ({source.digest})")


@nodes.command("untrust")
def untrust(files: Files) -> None:
    """Let files run no longer."""
    with plain_errors():
        from host.usernodes.trust import untrust as take_back

        for source, _ in _sources(files):
            print(f"{source.path}: {'trusted no longer' if take_back(source.digest) else 'it was not trusted'}")


@nodes.command("check")
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file of a node of your own.")],
    trust: Annotated[bool, typer.Option("--trust", help="Trust it as it is now, if it is not yet.")] = False,
    json_: Json = False,
) -> None:
    """Hold a node of your own to what every kind keeps: it runs, in a process of its own. Exit status 1 where it does
    not.
    """
    with plain_errors():
        from host.usernodes.loading import untrusted_words
        from host.usernodes.source import locate, read
        from host.usernodes.trial import held_to_contract, trusted_after_trial
        from host.usernodes.trust import is_trusted

        source = read(locate(str(file), Path()))
        if trust:
            trusted_after_trial(source)
        elif not is_trusted(source.digest):
            fail(untrusted_words(source))
        verdicts = held_to_contract(source)
    if json_:
        print_json([{"check": v.check, "found": list(v.found)} for v in verdicts])
    else:
        for verdict in verdicts:
            print(f"{'BAD ' if verdict.found else 'ok  '}  {verdict.check}")
            for line in verdict.found:
                print(f"        {line}")
    if any(verdict.found for verdict in verdicts):
        raise typer.Exit(1)


def _sources(files: list[Path]) -> list[tuple[Source, bool]]:
    """The files that were named, and those that patches among them name; whether each was named itself."""
    from graph.patchfile import load
    from host.usernodes.listing import in_patch
    from host.usernodes.source import locate, read

    found: list[tuple[Source, bool]] = []
    for file in files:
        if file.suffix.lower() in (".pwp", ".json"):
            inside = in_patch(load(file))
            if not inside:
                fail(f"{file}: it has no node of one's own")
            found += [(read(each.file), False) for each in inside]
        else:
            found.append((read(locate(str(file), Path())), True))
    return found


def _agreed(source: Source) -> bool:
    """Whether somebody at a terminal says yes to a file, having been shown how it begins."""
    if not sys.stdin.isatty():
        return False
    lines = source.text.splitlines()
    print(f"{source.path} ({len(lines)} lines, SHA-256 {source.digest}) begins:")
    for line in lines[:SHOWN_LINES]:
        print("  | " + "".join(c if c.isprintable() else " " for c in line)[:200])
    return typer.confirm("It is code, which may do what you may do. Trust it?", default=False)
