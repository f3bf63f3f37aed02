"""What can be done with a param, in a menu: a control learned or taken away, its OSC address copied."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg

from editor import clipboard, fonts
from editor.controls.board import source_words
from editor.controls.hands import hands_of
from editor.faces import param_label
from editor.macros.depth import amount_of, percent_words
from editor.turning import Amount
from editor.type_in import type_in
from graph.edits import Disconnect

if TYPE_CHECKING:
    from editor.app import App

TAG = "param-menu"


def add_items(app: App, node: str, param: str, parent: int | str, close: Callable[[], object]) -> bool:
    """The lines of a param of a node of this level; False where it has no address, and gets none."""
    hands = hands_of(app)
    key = hands.key_of(node, param)
    if key is None:
        return False
    face = app.session.face(node)
    declared, controls = face.param(param), hands.controls_of(node, param)
    words = f"{face.title}  ›  {param_label(declared) if declared else param}"
    head = dpg.add_text(words, parent=parent, color=app.look.theme.dim)
    dpg.bind_item_font(head, fonts.font("small"))

    def line(name: str, label: str, act: Callable[[], object], shortcut: str = "", enabled: bool = True) -> None:
        def chosen() -> None:
            close()
            act()

        tag = f"menu:param:{name}"
        if dpg.does_item_exist(tag):  # in a menu that a click elsewhere has closed, and nobody taken away yet
            dpg.delete_item(tag)
        dpg.add_menu_item(label=label, tag=tag, shortcut=shortcut, parent=parent, enabled=enabled, callback=chosen)

    address = hands.osc_address(node, param)
    moved = source_words(controls[0]) if controls else ""
    line("learn", "Learn another control" if controls else "Learn control", lambda: hands.learn(node, param))
    line("remove", "Remove control", lambda: hands.free_here(node, param), moved, bool(controls))
    line("copy", "Copy OSC address", lambda: _copy(app, address), address)
    line("show", "Show all controls", lambda: app.show("controls"))
    for number, cable in enumerate(app.session.survey.cables_of(node)):
        if (cable.target, cable.target_port) == (node, param):
            title = app.session.face(cable.source).title
            amount, words = Amount(app.session, cable.key), percent_words(amount_of(cable))
            line(f"amount{number}", f"Amount of {title}…", lambda amount=amount: _type(app, amount), words)
            line(
                f"free{number}", f"Free from {title}",
                lambda key=cable.key, title=title: app.session.do(Disconnect(*key), name=f"Free from {title}"),
            )  # fmt: skip
    return True


def _type(app: App, amount: Amount) -> None:
    """Let it be typed how far a cable moves a param, where the mouse is."""
    type_in(app, app.pointer.at, app.look.px(120), percent_words(amount.value / 100.0), amount.type)


def _copy(app: App, address: str) -> None:
    clipboard.put(address)
    app.notices.say("good", f"{address} is on the clipboard.")


def open_menu(app: App, at: tuple[float, float], node: str, param: str) -> None:
    """Open the menu of a param of a node of this level."""
    close_menu()
    width = app.look.px(280)
    dpg.add_window(
        tag=TAG, popup=True, no_title_bar=True, no_move=True, no_resize=True, width=width, min_size=[width, 30],
        max_size=[app.look.px(640), 900], pos=[round(at[0]), round(at[1])],
    )  # fmt: skip
    dpg.bind_item_theme(TAG, "theme:popup")
    if not add_items(app, node, param, TAG, close_menu):
        dpg.add_text("No control can move this.", parent=TAG, color=app.look.theme.dim)
    app.touch()


def close_menu() -> bool:
    """Close what is open; whether there was something."""
    if not dpg.does_item_exist(TAG):
        return False
    seen = bool(dpg.is_item_shown(TAG))  # a click elsewhere has closed it otherwise
    dpg.delete_item(TAG)
    return seen
