"""The params of a node, or those that several nodes share: knobs where they are few, lines where they are many.

Those of a plugin that has them in groups stand under the names of these, and a click on a name folds its group.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg

from editor import fonts
from editor.controls.menu import open_menu
from editor.dials import Bar, Control, Dial, Flip, Moved
from editor.inspector.lines import HIGH, Lines
from editor.theme import Colour
from editor.turning import Turning
from graph.spec import Param

if TYPE_CHECKING:
    from editor.app import App

BESIDE = 0.58
"""How much of a line a widget has beside its name."""
MOST_KNOBS = 16
MOST_LINES = 40
"""With more lines than this there is a search, and only those in view are there."""


def _no_group(param: Param) -> str:
    return ""


class Params:
    """Widgets for params. ``turning`` makes what turns one; ``state`` says what else moves it; ``group`` where it
    belongs. ``folded`` are the groups that are not unfolded, kept by who makes this.
    """

    def __init__(
        self,
        app: App,
        parent: int | str,
        width: int,
        params: Sequence[Param],
        prefix: str,
        turning: Callable[[Param], Turning],
        state: Callable[[str], Moved],
        colour: Colour,
        group: Callable[[Param], str] = _no_group,
        folded: set[str] | None = None,
    ) -> None:
        self.app, self.prefix, self._turning, self._state = app, prefix, turning, state
        self.width, self._colour = width, colour
        self._controls: dict[str, Control] = {}
        self._combos: dict[str, Turning] = {}
        self._handlers: list[int | str] = []
        self._group, self._folded = group, folded if folded is not None else set[str]()
        self._params = _in_groups(params, group)
        self._groups = [name for name in dict.fromkeys(map(group, self._params)) if name]
        self._numbers = {name: number for number, name in enumerate(self._groups)}
        self._found: tuple[Param | str, ...] = ()
        """The lines: params, and the names of groups."""
        self._typed = ""
        self._bodies: dict[str, int | str] = {}
        self._root = dpg.add_group(parent=parent)
        self._lines: Lines | None = None
        if len(params) > MOST_LINES:
            dpg.add_input_text(
                tag=f"{prefix}:search", hint=f"Search {len(params)} params", width=width, parent=self._root,
                callback=lambda s, text: self._search(text),
            )  # fmt: skip
            self._lines = Lines(app, self._root, "panel:inspector", "inspector:page", self._line, self._drop)
            self._search("")
            return
        for name in ["", *self._groups]:
            body = self._root
            if name:
                self._heading(name, self._root)
                body = self._bodies[name] = dpg.add_group(parent=self._root, show=name not in self._folded)
            self._widgets([p for p in self._params if group(p) == name], body)
        self.show()

    def _widgets(self, params: Sequence[Param], parent: int | str) -> None:
        """Knobs, or lines where these are many; then choices and switches."""
        turnings = {p.name: self._turning(p) for p in params}
        chosen = [p for p in params if p.curve != "switch" and turnings[p.name].choices]
        switches = [p for p in params if p.curve == "switch"]
        turned = [p for p in params if p not in chosen and p not in switches]
        if len(turned) <= MOST_KNOBS:
            self._knobs(turned, parent)
        else:
            self._bars(turned, parent)
        if turned and (chosen or switches):
            dpg.add_spacer(height=self.app.look.px(2), parent=parent)
        self._bars(chosen, parent)
        self._bars(switches, parent)

    # -- groups --------------------------------------------------------------------------------------------------------

    def _heading(self, name: str, parent: int | str) -> None:
        """The name of a group, with how many are in it; a click folds it."""
        px, theme, number = self.app.look.px, self.app.look.theme, self._numbers[name]
        count = sum(self._group(p) == name for p in self._params)
        with dpg.group(horizontal=True, horizontal_spacing=px(2), parent=parent):
            for kind, words, font in (("fold", _arrow(name in self._folded), "icons"), ("group", name, "strong")):
                tag = f"{self.prefix}:{kind}:{number}"
                dpg.add_button(label=words, tag=tag, callback=lambda: self._fold(name))
                dpg.bind_item_font(tag, fonts.font(font))  # pyright: ignore[reportArgumentType] - one of two roles
                dpg.bind_item_theme(tag, "theme:flat")
            dpg.add_text(str(count), color=theme.faint)

    def _fold(self, name: str) -> None:
        self._folded ^= {name}
        if self._lines is not None:
            self._search(self._typed)
            return
        dpg.configure_item(self._bodies[name], show=name not in self._folded)
        dpg.set_item_label(f"{self.prefix}:fold:{self._numbers[name]}", _arrow(name in self._folded))

    # -- widgets -------------------------------------------------------------------------------------------------------

    def _knobs(self, params: Sequence[Param], parent: int | str) -> None:
        px = self.app.look.px
        per_line = max(int(self.width // px(70)), 1)
        if len(params) > per_line:
            lines = -(-len(params) // per_line)
            per_line = -(-len(params) // lines)
        columns = max(per_line, min(int(self.width // px(70)), 4))
        wide = int(self.width // columns)
        line = parent
        for k, param in enumerate(params):
            if k % columns == 0:
                line = dpg.add_group(horizontal=True, horizontal_spacing=0, parent=parent)
            tag, cell = f"{self.prefix}.{param.name}", dpg.add_group(parent=line)
            self._controls[param.name] = Dial(self.app, cell, self._turning(param), tag, wide, self._colour)
            self._explain(cell, param)

    def _bars(self, params: Sequence[Param], parent: int | str) -> None:
        for param in params:
            self._bar(param, dpg.add_group(parent=parent))

    def _bar(self, param: Param, cell: int | str) -> None:
        """A line for a param, of the widget that it asks for."""
        tag, turning = f"{self.prefix}.{param.name}", self._turning(param)
        if param.curve == "switch":
            self._controls[param.name] = Flip(self.app, cell, turning, tag, self.width)
        elif turning.choices:
            self._combo(param, turning, tag, cell)
        else:
            self._controls[param.name] = Bar(self.app, cell, turning, tag, self.width, self._colour)
        self._explain(cell, param)

    def _combo(self, param: Param, turning: Turning, tag: str, cell: int | str) -> None:
        names = list(turning.choices)
        with labelled(self.app, cell, turning.label, self.width):
            dpg.add_combo(
                names, tag=tag, width=int(self.width * BESIDE),
                callback=lambda s, chosen: turning.choose(names.index(chosen)),
            )  # fmt: skip
        self._combos[param.name] = turning
        if turning.controllable and len(turning.nodes) == 1:
            with dpg.item_handler_registry() as handlers:
                dpg.add_item_clicked_handler(
                    button=1,
                    callback=lambda: open_menu(self.app, self.app.pointer.at, turning.nodes[0], param.name),
                )
            dpg.bind_item_handler_registry(tag, handlers)
            self._handlers.append(handlers)

    def _line(self, index: int, parent: int | str) -> None:
        """One of many lines, all of one height."""
        param = self._found[index]
        cell = dpg.add_child_window(
            parent=parent, width=self.width, height=self.app.look.px(HIGH), border=False, no_scrollbar=True,
            no_scroll_with_mouse=True,
        )  # fmt: skip
        dpg.bind_item_theme(cell, "theme:strip")
        if isinstance(param, str):
            self._heading(param, cell)
        else:
            self._bar(param, cell)

    def _explain(self, cell: int | str, param: Param) -> None:
        with dpg.tooltip(cell, delay=0.7):
            dpg.add_text((param.doc or param.name).replace("``", ""), wrap=self.app.look.px(280))
            words = f"{param.name}   {param.low:g} … {param.high:g} {param.unit}".rstrip()
            dpg.add_text(words, color=self.app.look.theme.dim)
            moved = self._state(param.name)
            if moved:
                dpg.add_text(moved.words, color=self.app.look.theme.good, wrap=self.app.look.px(280))

    def _search(self, text: str) -> None:
        """Lines for the params whose names, or whose groups' names, have every word, also of those that are folded."""
        assert self._lines is not None
        self._typed, words = text, text.lower().split()
        found: list[Param | str] = []
        for name in ["", *self._groups]:
            own = [p for p in self._params if self._group(p) == name]
            if words:
                labels = ((p, f"{name} {p.name} {self._turning(p).label}".lower()) for p in own)
                own = [p for p, label in labels if all(word in label for word in words)]
            if name and (own or not words):
                found.append(name)
            if words or name not in self._folded:
                found += own
        self._found = tuple(found)
        self._lines.show(len(self._found))
        self.show()

    def _drop(self) -> None:
        """What was made for lines is about to go."""
        self.free()
        self._controls.clear()
        self._combos.clear()

    def frame(self, live: bool = False) -> None:
        """Follow the scrolling; ``live``: values and their words may change by themselves."""
        scrolled = self._lines is not None and self._lines.follow()
        if scrolled or live:
            self.show()

    def show(self) -> None:
        """The values may be other ones now."""
        for name, control in self._controls.items():
            control.moved = self._state(name)
            control.show()
        for name, turning in self._combos.items():
            index, names = turning.chosen, turning.choices
            dpg.set_value(f"{self.prefix}.{name}", names[index] if 0 <= index < len(names) else "Mixed")

    def free(self) -> None:
        """It is there no more."""
        for control in self._controls.values():
            control.free()
        for handlers in self._handlers:  # they lie in no item that goes
            dpg.delete_item(handlers)
        self._handlers.clear()


def labelled(app: App, parent: int | str, label: str, width: int, help: str = ""):
    """A line with a name, and beside it room for a widget as wide as ``BESIDE`` says: a context to make that in.

    The help is shown over the name: over a field it would take the keyboard from it.
    """
    line = dpg.add_group(horizontal=True, horizontal_spacing=0, parent=parent)
    item = dpg.add_text(label, color=app.look.theme.dim, parent=line)
    dpg.bind_item_font(item, fonts.font("medium"))
    if help:
        with dpg.tooltip(item, delay=0.5):
            dpg.add_text(help, wrap=app.look.px(280))
    gap = width * (1 - BESIDE) - fonts.width(label, "medium", app.look.px(14))
    dpg.add_spacer(width=max(int(gap), 1), parent=line)
    return dpg.group(parent=line)


def _arrow(folded: bool) -> str:
    return fonts.ICONS["caret-right" if folded else "caret-down"]


def _in_groups(params: Sequence[Param], group: Callable[[Param], str]) -> tuple[Param, ...]:
    """Those in no group first, then group after group, in the order in which they first come."""
    order = {"": 0} | {name: k for k, name in enumerate(dict.fromkeys(map(group, params)), 1) if name}
    return tuple(sorted(params, key=lambda param: order[group(param)]))
