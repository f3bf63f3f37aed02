"""The window in which a frame gets its title, its text and its colour."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg

from editor.canvas.frames import frame_edit
from editor.canvas.scene import Frame, frames_of
from editor.swatches import swatches
from graph.edits import Edit

if TYPE_CHECKING:
    from editor.app import App


def fill_frame_popup(app: App, parent: str, frame: Frame, close: Callable[[], None]) -> None:
    """Put into a window what changes a frame; ``close`` closes that."""
    look, session = app.look, app.session
    kept = [frame]

    def change(**fields: str) -> None:
        kept[0] = replace(kept[0], **fields)
        do(frame_edit(session, kept[0]), "Change a frame", ("change a frame", frame.index))

    def remove() -> None:
        close()
        do(frame_edit(session, None, remove=frame.index), "Remove a frame")

    def do(edit: Edit, name: str, gesture: object = None) -> None:
        if frame.index < len(frames_of(session.here.metadata)):  # it may be undone meanwhile
            session.do(edit, name=name, gesture=gesture)

    def paint(name: str) -> None:
        change(colour=name)
        offer()

    def offer() -> None:
        dpg.delete_item("frame:colours", children_only=True)
        swatches(look, "frame:colours", kept[0].colour, None, paint)

    dpg.add_input_text(
        tag="frame:title",
        hint="Title",
        default_value=frame.title,
        width=-1,
        parent=parent,
        callback=lambda _, v: change(title=v),
    )
    dpg.add_input_text(
        tag="frame:text",
        hint="A comment",
        default_value=frame.text,
        multiline=True,
        width=-1,
        height=look.px(90),
        parent=parent,
        callback=lambda _, v: change(text=v),
    )
    dpg.add_group(tag="frame:colours", parent=parent)
    offer()
    button = dpg.add_button(label="Remove the frame", callback=remove, parent=parent)
    dpg.bind_item_theme(button, "theme:danger")
    app.keyboard.give("frame:title")
