"""Commands about patch files as documents: into the other form, shown, compared, begun."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from host.commands import (
    Json,
    PatchFile,
    fail,
    loaded,
    plain_errors,
    print_json,
    print_utf8,
    printable,
    refuse_existing,
)

FORMS = (".pwp", ".json")
"""What the names of patch files end in."""


def convert(
    source: Annotated[Path, typer.Argument(metavar="SRC")], target: Annotated[Path, typer.Argument(metavar="DST")]
) -> None:
    """Turn a patch into its other form (.pwp or .json), without loss."""
    with plain_errors():
        from graph.patchfile import save

        refuse_existing(target)
        if target.suffix.lower() not in FORMS:
            fail(f"{target}: cannot tell the form from {target.suffix!r}; expected .pwp or .json")
        save(loaded(source), target)
    print(f"{target}")


def show(
    patch: PatchFile,
    json_: Json = False,
    svg: Annotated[Path | None, typer.Option("--svg", metavar="FILE", help="Draw the patch as a picture.")] = None,
) -> None:
    """Show what is in a patch."""
    with plain_errors():
        document = loaded(patch)
        if svg is not None:
            from host.drawing import svg as draw
            from nodes import kinds

            refuse_existing(svg)
            svg.write_text(draw(document, kinds()), encoding="utf-8")
            print(f"{svg}")
            return
        from graph.patchfile import to_document

        data = to_document(document)
    if json_:
        print_utf8(document.to_json())
        return
    from host.tables import print_patch

    print_patch(data)


def diff(
    a: Annotated[Path, typer.Argument(metavar="A")],
    b: Annotated[Path, typer.Argument(metavar="B")],
    json_: Json = False,
) -> None:
    """What changed from one patch to another."""
    with plain_errors():
        from graph.difference import differences
        from graph.patchfile import to_document

        changes = differences(to_document(loaded(a)), to_document(loaded(b)))
    if json_:
        print_json(
            [{"kind": c.kind, "place": c.place, "before": _plain(c.before), "after": _plain(c.after)} for c in changes]
        )
        return
    for change in changes:
        match change.kind:
            case "added":
                print(printable(f"+ {change.place}: {_brief(change.after)}"))
            case "removed":
                print(printable(f"- {change.place}: {_brief(change.before)}"))
            case _:
                print(printable(f"~ {change.place}: {_brief(change.before)} -> {_brief(change.after)}"))


def _plain(value: Any) -> Any:
    """A value as JSON can hold it."""
    if isinstance(value, bytes):
        import base64

        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return value


def _brief(value: Any) -> str:
    text = json.dumps(_plain(value), ensure_ascii=False)
    return text if len(text) <= 100 else text[:97] + "…"


def new(
    name: Annotated[Path, typer.Argument(metavar="NAME", help="The file to make, .pwp (default) or .json.")],
) -> None:
    """Make a small patch to start from: an input, a level, an output."""
    with plain_errors():
        from graph.document import Patch
        from graph.patchfile import save

        if name.name in ("", ".."):
            fail(f"{str(name)!r} is a folder; expected the name of a file to make")
        target = name if name.suffix.lower() in FORMS else name.with_name(name.name + ".pwp")
        refuse_existing(target)
        patch = Patch(target.stem)
        patch.add("in", "audio_in")
        patch.add("level", "gain")
        patch.add("out", "audio_out")
        patch.connect("in.out", "level.in")
        patch.connect("level.out", "out.in")
        save(patch, target)
    print(f"{target}")
