"""A row of the colours that people give to nodes and frames."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import dearpygui.dearpygui as dpg

from editor.faces import spoken
from editor.model import Session
from editor.theme import TINTS, Colour, Look
from graph.edits import SetTint

SIZE = 18.0


def swatches(
    look: Look, parent: int | str, chosen: str | None, plain: Colour | None, pick: Callable[[str], object]
) -> None:
    """Buttons round and coloured, the chosen one with a ring. ``plain``: what it is coloured without any, which is
    picked as an empty name.
    """
    rows = [*TINTS.items()] if plain is None else [("", plain), *TINTS.items()]
    with dpg.group(horizontal=True, parent=parent, horizontal_spacing=look.px(6)):
        for name, colour in rows:
            button = dpg.add_color_button(
                colour,
                tag=f"{parent}:swatch:{name or 'plain'}",
                width=look.px(SIZE),
                height=look.px(SIZE),
                no_alpha=True,
                no_tooltip=True,
                no_drag_drop=True,
                user_data=name,
                callback=lambda _, __, picked: pick(picked),
            )
            dpg.bind_item_theme(button, "theme:swatch-on" if name == chosen else "theme:swatch")
            with dpg.tooltip(button):
                dpg.add_text(spoken(name) if name else "As its family")
            if not name:
                dpg.add_spacer(width=look.px(2))


def colour_nodes(session: Session, nodes: Iterable[str], name: str) -> None:
    """Give nodes a colour by its name, or take it away, as one step; those that have gone are passed over."""
    here = [id for id in sorted(nodes) if id in session.here.graph and session.here.node(id).tint != name]
    if here:
        session.do(*(SetTint(id, name) for id in here), name="Colour nodes" if len(here) > 1 else f"Colour {here[0]}")


def tint_of(session: Session, nodes: Iterable[str]) -> str | None:
    """The colour that all of some nodes were given; empty: none; None: not all the same."""
    found = {session.here.node(id).tint for id in nodes}
    return found.pop() if len(found) == 1 else None
