"""The small windows of the canvas: search for a kind or a node, questions, menus, and words about what is below."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg

from editor import fonts
from editor.canvas.adding import add_item, connect_new
from editor.canvas.frame_popup import fill_frame_popup
from editor.canvas.plugging import items_that_fit
from editor.canvas.scene import Frame, Hit, PinAt
from editor.canvas.view import Point
from editor.commands import shown
from editor.controls.menu import add_items
from editor.faces import spoken
from editor.pointer import Touch
from editor.swatches import colour_nodes, swatches, tint_of
from editor.theme import Colour
from graph.document import Cable
from graph.edits import Connect, Edit

if TYPE_CHECKING:
    from editor.canvas.panel import Canvas

MOST = 12
MENU = (
    "canvas.add",
    "edit.cut",
    "edit.copy",
    "edit.paste",
    "edit.duplicate",
    "edit.delete",
    "edit.dissolve",
    "arrange.group",
    "arrange.ungroup",
    "arrange.frame",
    "arrange.auto",
    "node.rename",
    "node.bypass",
    "node.mute",
    "plugins.window",
    "plugins.presets",
)


@dataclass(frozen=True, slots=True)
class Choice:
    """A line of a search: what is shown, what is searched, and what happens."""

    title: str
    detail: str
    colour: Colour
    act: Callable[[], object]


class Popups:
    """One is open at a time."""

    def __init__(self, canvas: Canvas) -> None:
        self.canvas = canvas
        self._choices: list[Choice] = []
        self._found: list[Choice] = []
        self._at = 0
        self._column = 140
        """How much of a line its title has."""

    # -- search --------------------------------------------------------------------------------------------------------

    def search(self, at: Point) -> None:
        """Search among all that is in stock for one to put at a point of the plane."""
        items = [item.id for item in self.canvas.session.stock.items()]
        self._open_search("Add a node", self._item_choices(items, at, None), at)

    def search_for(self, pin: PinAt, at: Point) -> None:
        """Search among all that a cable from (or to) a pin can lead to."""
        names = items_that_fit(self.canvas.session, pin.pin.type, pin.pin.flow)
        words = "Connect to" if pin.pin.flow == "out" else "Feed from"
        self._open_search(words, self._item_choices(names, at, pin), at)

    def search_nodes(self) -> None:
        """Search among the nodes of this level, and fly to one."""
        canvas, theme = self.canvas, self.canvas.app.look.theme
        choices = [
            Choice(
                own.face.title,
                f"{id}   {spoken(own.face.kind)}",
                theme.hue(own.face.hue),
                lambda node=id: canvas.fly_to(node),
            )
            for id, own in sorted(canvas.scene.shapes.items(), key=lambda pair: pair[1].face.title.lower())
        ]
        self._open_search("Go to a node", choices, None)

    def search_commands(self) -> None:
        """Search among all that can be commanded now."""
        app = self.canvas.app
        choices = [
            Choice(
                command.title,
                "   ".join((*map(shown, app.commands.keys_of(command.id)[:1]), command.menu)),
                app.look.theme.accent,
                partial(app.command, command.id),
            )
            for command in app.commands
            if command.menu and command.enabled(app)
        ]
        self._open_search("What do you want to do?", choices, None, 270)

    def _item_choices(self, items: Iterable[str], at: Point, pin: PinAt | None) -> list[Choice]:
        canvas, theme = self.canvas, self.canvas.app.look.theme
        found: list[Choice] = []
        for id in items:
            item = canvas.session.stock[id]

            def act(id: str = id) -> None:
                if pin is None:
                    add_item(canvas, id, canvas.below(at))
                else:
                    connect_new(canvas, id, pin, at)

            found.append(Choice(item.title, item.detail, theme.hue(item.family), act))
        return found

    def _open_search(self, title: str, choices: list[Choice], at: Point | None, column: int = 140) -> None:
        canvas, px = self.canvas, self.canvas.app.look.px
        self._choices, self._column = choices, column
        slot = canvas.app.slots["centre"]
        width = px(430)
        if at is None:
            x, y = slot.x + (slot.width - width) / 2, slot.y + px(60)
        else:
            x, y = canvas.gestures.view.to_canvas(*at)
            x, y = slot.x + x, slot.y + y
        x = min(max(x, slot.x + 8), slot.x + slot.width - width - 8)
        y = min(max(y, slot.y + 8), slot.y + max(slot.height - px(330), 8))
        self._window("search", (x, y), width)
        head = dpg.add_text(title, color=canvas.app.look.theme.dim, parent="canvas-popup")
        dpg.bind_item_font(head, fonts.font("small"))
        dpg.add_input_text(
            tag="search:text",
            hint="Type to search",
            width=-1,
            parent="canvas-popup",
            callback=lambda _, typed: self._narrow(typed),
        )
        dpg.add_group(tag="search:list", parent="canvas-popup")
        self._narrow("")
        canvas.app.keyboard.give("search:text")

    def _narrow(self, typed: str) -> None:
        words = typed.lower().split()
        found = [c for c in self._choices if all(w in f"{c.title} {c.detail}".lower() for w in words)]

        def rank(c: Choice) -> tuple[bool, bool]:
            title, first = c.title.lower(), " ".join(words)
            return not title.startswith(first), not all(w in title for w in words)

        self._found = sorted(found, key=rank)[:MOST]
        self._at = 0
        self._list()

    def _list(self) -> None:
        theme, px = self.canvas.app.look.theme, self.canvas.app.look.px
        dpg.delete_item("search:list", children_only=True)
        if not self._found:
            dpg.add_text("There is nothing like this.", color=theme.faint, parent="search:list")
        for k, choice in enumerate(self._found):
            with dpg.group(horizontal=True, parent="search:list"):
                mark = dpg.add_text(fonts.ICONS["record"], color=choice.colour)
                dpg.bind_item_font(mark, fonts.font("icons"))
                dpg.add_selectable(
                    label=choice.title,
                    tag=f"search:{k}",
                    default_value=k == self._at,
                    width=px(self._column),
                    user_data=k,
                    callback=lambda _, __, chosen: self._pick(chosen),
                )
                room = px(358 - self._column)
                detail = fonts_fit(choice.detail, room, self.canvas.app.look.scale)
                words = dpg.add_text(detail, color=theme.faint)
                dpg.bind_item_font(words, fonts.font("small"))

    def step(self, by: int) -> None:
        """Choose another line."""
        if self._found:
            self._at = (self._at + by) % len(self._found)
            self._list()

    def enter(self) -> None:
        """Take the chosen line; have done with a frame, unless a line of its text is ended."""
        if self.open == "search" and self._found:
            self._pick(self._at)
        elif self.open == "search":
            self.canvas.app.keyboard.give("search:text")  # which Enter takes the keys from
        elif self.open == "frame" and not dpg.is_item_active("frame:text"):
            self.close()

    def _pick(self, index: int) -> None:
        if index < len(self._found):  # a click may come with a letter that makes the list shorter
            choice = self._found[index]
            self.close()
            choice.act()

    # -- questions and menus -------------------------------------------------------------------------------------------

    def ask_loop(self, cable: Cable, before: list[Edit]) -> None:
        """Ask whether a cable that closes a loop shall be a feedback cable."""
        canvas, theme, px = self.canvas, self.canvas.app.look.theme, self.canvas.app.look.px
        slot = canvas.app.slots["centre"]
        x, y = slot.x + slot.width / 2 - px(210), slot.y + slot.height / 2 - px(70)
        self._window("loop", (x, y), px(420))
        head = dpg.add_text("This cable closes a loop", parent="canvas-popup")
        dpg.bind_item_font(head, fonts.font("strong"))
        words = (
            f"From {cable.source} to {cable.target} and round again. As a feedback cable it comes 64 frames late, "
            "which keeps the rest of the loop in time."
        )
        dpg.add_text(words, wrap=px(390), color=theme.dim, parent="canvas-popup")

        def make() -> None:
            self.close()
            canvas.session.do(*before, Connect(cable), name=f"Feed {cable.source} back to {cable.target}")

        with dpg.group(horizontal=True, parent="canvas-popup"):
            yes = dpg.add_button(label="Make it a feedback cable", tag="loop:yes", callback=make)
            dpg.bind_item_theme(yes, "theme:accent")
            dpg.add_button(label="Leave it", tag="loop:no", callback=lambda: self.close())

    def edit_frame(self, frame: Frame) -> None:
        """Give a frame a title, a text and a colour, or take it away."""
        canvas = self.canvas
        slot = canvas.app.slots["centre"]
        x, y = canvas.gestures.view.to_canvas(frame.box.x, frame.box.y)
        self._window("frame", (max(slot.x + x, slot.x + 8), max(slot.y + y, slot.y + 8)), canvas.app.look.px(330))
        fill_frame_popup(canvas.app, "canvas-popup", frame, self.close)

    def rename(self, node: str) -> None:
        """Give a node another title."""
        from graph.edits import Retitle

        canvas, px = self.canvas, self.canvas.app.look.px
        slot, box = canvas.app.slots["centre"], canvas.scene.box(node)
        x, y = canvas.gestures.view.to_canvas(box.x, box.y)
        self._window("rename", (slot.x + x, slot.y + y), px(240))

        def done(_: int, title: str) -> None:
            self.close()
            canvas.session.do(Retitle(node, title.strip()))

        dpg.add_input_text(
            tag="rename:text",
            default_value=canvas.session.here.node(node).title,
            hint=spoken(node),
            width=-1,
            on_enter=True,
            parent="canvas-popup",
            callback=done,
        )
        canvas.app.keyboard.give("rename:text")

    def menu(self, touch: Touch) -> None:
        """What can be done here, after a right click."""
        canvas = self.canvas
        hit = canvas.scene.at(*canvas.gestures.view.to_plane(*touch.at))
        if hit.node and hit.node not in canvas.session.selection:
            canvas.session.select({hit.node})
        if hit.cable is not None:
            canvas.session.select(cables={hit.cable.key})
        self._window("menu", touch.screen, canvas.app.look.px(280))
        param = hit.knob.param.name if hit.knob is not None else hit.switch
        if hit.node and param and add_items(canvas.app, hit.node, param, "canvas-popup", self.close):
            dpg.add_separator(parent="canvas-popup")
        for id in MENU:
            if id not in canvas.app.commands or not canvas.app.commands[id].enabled(canvas.app):
                continue
            keys = canvas.app.commands.keys_of(id)
            dpg.add_menu_item(
                label=canvas.app.commands[id].title,
                shortcut=shown(keys[0]) if keys else "",
                parent="canvas-popup",
                user_data=id,
                callback=lambda _, __, chosen: (self.close(), canvas.app.command(chosen)),
            )
        if hit.node:
            dpg.add_spacer(height=canvas.app.look.px(2), parent="canvas-popup")
            self._colours()

    def colours(self) -> None:
        """Choose a colour for what is selected."""
        canvas, px = self.canvas, self.canvas.app.look.px
        x, y = canvas.app.pointer.at
        self._window("colours", (max(x - px(240), 8), max(y, 8)), px(266))
        self._colours()

    def _colours(self) -> None:
        session, look, nodes = self.canvas.session, self.canvas.app.look, self.canvas.session.selection
        plain = look.theme.hue(session.face(min(nodes)).family)

        def pick(name: str) -> None:
            self.close()
            colour_nodes(session, nodes, name)

        swatches(look, "canvas-popup", tint_of(session, nodes), plain, pick)

    def _window(self, what: str, at: Point, width: float) -> None:
        self.close()
        self.open = what
        dpg.add_window(
            tag="canvas-popup",
            popup=True,
            no_title_bar=True,
            no_move=True,
            no_resize=True,
            autosize=False,
            width=round(width),
            pos=[round(at[0]), round(at[1])],
            min_size=[round(width), 30],
            max_size=[round(width), 900],
        )
        dpg.bind_item_theme("canvas-popup", "theme:popup")
        self.canvas.app.touch()

    open = ""

    def close(self) -> None:
        """Close what is open."""
        self.open = ""
        if dpg.does_item_exist("canvas-popup"):
            dpg.delete_item("canvas-popup")

    def look(self) -> None:
        """Forget what a click elsewhere has closed."""
        if self.open and dpg.does_item_exist("canvas-popup") and not dpg.is_item_shown("canvas-popup"):
            self.close()

    # -- words about what is below the mouse ---------------------------------------------------------------------------

    def hint(self, hit: Hit, touch: Touch) -> None:
        """Say what the mouse is over, in the status bar's words of the window."""
        words = ""
        if hit.pin is not None:
            port = self.canvas.scene.shapes[hit.pin.node].face.port(hit.pin.pin.name)
            words = f"{hit.pin.node}.{hit.pin.pin.name}   {hit.pin.pin.type}   {port.doc if port else ''}"
        elif hit.knob is not None:
            words = f"{hit.knob.param.doc}   Drag up and down; Shift is fine; double-click resets."
        elif hit.switch:
            words = "Bypass: pass through, latency kept" if hit.switch == "bypass" else "Mute: silence"
        elif hit.cable is not None:
            words = hit.cable.place.removeprefix("cables.") + ("   feedback" if hit.cable.feedback else "")
        elif hit.node:
            face = self.canvas.scene.shapes[hit.node].face
            words = f"{hit.node}   {face.problem or face.doc}"
        self.canvas.app.hint = words.strip().replace("``", "")

    def close_hint(self) -> None:
        """Say nothing any more."""
        self.canvas.app.hint = ""


def fonts_fit(text: str, room: float, scale: float) -> str:
    """A text in the small font, cut to a width."""
    from editor.draw import fitted

    return fitted(text, room, "small", fonts.ROLES["small"][1] * scale)
