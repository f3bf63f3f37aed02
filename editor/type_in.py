"""A field laid over whatever shows a number or a name, to type another one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg

from editor import fonts

if TYPE_CHECKING:
    from editor.app import App


def type_in(app: App, at: tuple[float, float], width: float, text: str, done: Callable[[str], None]) -> None:
    """Open a field over the window to type in; ``done`` gets what it holds at the end, if that is another text, and
    what it was about is still looked at.
    """
    level = app.session.level
    if dpg.does_item_exist("type-in"):
        dpg.delete_item("type-in")
    with dpg.window(
        tag="type-in", pos=[round(at[0]), round(at[1])], no_title_bar=True, no_resize=True, no_move=True, autosize=True,
        no_scrollbar=True, no_background=True, min_size=[8, 8],
    ):  # fmt: skip
        dpg.add_input_text(tag="type-in:text", default_value=text, width=round(width), auto_select_all=True)
    dpg.bind_item_theme("type-in", "theme:strip")
    dpg.bind_item_font("type-in:text", fonts.font("medium"))

    def finish(entered: bool = True) -> None:
        if dpg.does_item_exist("type-in"):
            typed = app.keyboard.text("type-in:text")
            dpg.delete_item("type-in")
            if entered and typed != text and app.session.level == level:
                try:
                    done(typed)
                except ValueError as error:
                    app.notices.say("warning", str(error)[:1].upper() + str(error)[1:])

    if dpg.does_item_exist("type-in:handlers"):
        dpg.delete_item("type-in:handlers")
    with dpg.item_handler_registry(tag="type-in:handlers"):
        dpg.add_item_deactivated_handler(callback=lambda: finish())
    dpg.bind_item_handler_registry("type-in:text", "type-in:handlers")
    app.keyboard.give("type-in:text", finish, "medium")
