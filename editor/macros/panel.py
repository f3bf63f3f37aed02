"""The panel of macros: a card for each, with a big knob, what it moves and how far."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

import dearpygui.dearpygui as dpg

from editor import fonts
from editor.canvas.adding import add_item
from editor.commands import Command
from editor.dials import Control, Moved
from editor.draw import KnobFace, fitted
from editor.faces import param_label
from editor.link import Readings
from editor.macros.assigning import Assigning, macro_kinds, macros_of, release_edits, targets_of
from editor.macros.share import HEIGHT as SHARE
from editor.macros.share import Share
from editor.model import Changes
from editor.panel import Panel
from editor.pointer import Touch
from editor.theme import Colour, alpha
from editor.turning import Amount, Turning
from editor.type_in import type_in
from graph.edits import Edit, RemoveNode, Retitle

if TYPE_CHECKING:
    from editor.app import App
    from editor.canvas.panel import Canvas

CARD, KNOB, RADIUS = 388, 112, 34
LEAST_HEIGHT = 150
EXPLAINED = (
    "A macro is one knob that moves many params, each by an amount of its own. Add one, press Assign, then press any "
    "knob in the window and drag to say how far it shall go."
)


class Macros(Panel):
    """The macros of the level that is looked at."""

    def __init__(self, app: App) -> None:
        super().__init__(app)
        self._dials: dict[str, BigDial] = {}
        self._bars: list[Share] = []
        self._shown: object = None

    def build(self, parent: int | str) -> None:
        self._forget()
        dpg.add_child_window(tag="macros", parent=parent, border=False, horizontal_scrollbar=True)
        dpg.bind_item_theme("macros", "theme:strip")

    def sync(self, changes: Changes) -> None:
        assigning = self.app.assigning
        if assigning is not None and (changes.everything or not assigning.valid):
            self.app.assigning = None
        self._make()

    def frame(self, now: float, readings: Readings) -> None:
        self._make()
        for control in (*self._dials.values(), *self._bars):
            control.show()

    def _forget(self) -> None:
        for control in (*self._dials.values(), *self._bars):
            control.free()
        self._dials, self._bars, self._shown = {}, [], None

    def _state(self) -> object:
        session = self.session
        rows = [
            (
                id,
                session.face(id).title,
                tuple((c.key, session.face(c.target).title) for c, _ in targets_of(session, id)),
            )
            for id in macros_of(session)
        ]
        return rows, session.level, self.app.assigning, self._height(), self.app.look

    def _height(self) -> int:
        slot, px = self.app.slots.get("bottom"), self.app.look.px
        return round(max((slot.height if slot else 236) - px(54), px(LEAST_HEIGHT)))

    def _make(self) -> None:
        state = self._state()
        if state == self._shown:
            return
        self._forget()
        self._shown = state
        dpg.delete_item("macros", children_only=True)
        px, theme = self.app.look.px, self.app.look.theme
        listed = macros_of(self.session)
        with dpg.group(horizontal=True, parent="macros", horizontal_spacing=px(8), tag="macros:row"):
            for id in listed:
                self._card(id)
            with dpg.group():
                dpg.add_button(label="Add a macro", tag="macros:add", width=px(150), callback=lambda: self.add())
                dpg.bind_item_theme("macros:add", "theme:unlit" if listed else "theme:accent")
                if not listed:
                    dpg.add_spacer(height=px(8))
                    dpg.add_text(EXPLAINED, wrap=px(520), color=theme.dim)

    def _card(self, id: str) -> None:
        px, theme, session = self.app.look.px, self.app.look.theme, self.session
        face, height = session.face(id), self._height()
        colour = theme.hue(face.hue)
        on = self.app.assigning is not None and self.app.assigning.macro == id
        with dpg.child_window(
            tag=f"macro:{id}",
            width=px(CARD),
            height=height,
            border=False,
            no_scrollbar=True,
            always_use_window_padding=True,
        ):
            with dpg.group(horizontal=True, horizontal_spacing=px(4)):
                name = fitted(face.title, px(CARD - 170), "strong", fonts.ROLES["strong"][1] * self.app.look.scale)
                dpg.add_button(label=f"{name}##{id}", tag=f"macro:{id}:name", width=px(CARD - 152),
                               user_data=id, callback=lambda _, __, n: self.ask_name(n))  # fmt: skip
                dpg.bind_item_font(f"macro:{id}:name", fonts.font("strong"))
                dpg.bind_item_theme(f"macro:{id}:name", "theme:name")
                label = "Done" if on else "Assign"
                dpg.add_button(label=label, tag=f"macro:{id}:assign", width=px(78), user_data=id,
                               callback=lambda _, __, n: self.assign(n))  # fmt: skip
                dpg.bind_item_theme(f"macro:{id}:assign", "theme:accent" if on else "theme:lifted")
                self._icon("trash", f"macro:{id}:remove", lambda _, __, n: self.remove(n), id, "Remove this macro")
            with dpg.group(horizontal=True, horizontal_spacing=px(6)):
                turning = Turning(session, (id,), face.params[0], face.values.get(face.params[0].name))
                at = dpg.add_group()
                self._dials[id] = BigDial(
                    self.app, at, turning, f"macro:{id}:knob", (px(KNOB), height - px(58)), colour
                )
                with dpg.child_window(border=False, width=-1, height=height - px(58)):
                    self._targets(id, on)
        dpg.bind_item_theme(f"macro:{id}", "theme:card")

    def _targets(self, id: str, on: bool) -> None:
        px, theme, session = self.app.look.px, self.app.look.theme, self.session
        found = targets_of(session, id)
        if on:
            text = dpg.add_text("Press a knob, and drag to say how far.", color=theme.pin("control"), wrap=px(200))
            dpg.bind_item_font(text, fonts.font("small"))
        elif not found:
            text = dpg.add_text(
                "Moves nothing yet. Assign lets it move any knob you press.", color=theme.dim, wrap=px(200)
            )
            dpg.bind_item_font(text, fonts.font("small"))
        for number, (cable, param) in enumerate(found):
            with dpg.group(horizontal=True, horizontal_spacing=px(2)):
                title = session.face(cable.target).title
                at, label = dpg.add_group(), f"{title}  {param_label(param)}"
                tag = f"macro:{id}:amount{number}"
                bar = Share(self.app, at, Amount(session, cable.key), tag, (px(202), px(SHARE)), label)
                bar.moved = Moved(feedback=cable.feedback)
                self._bars.append(bar)
                key = (id, cable.target, param.name)
                self._icon("close", f"{tag}:free", lambda _, __, k: self.release(*k), key, "Move this no more")

    def _icon(self, icon: str, tag: str, callback: object, data: object, words: str) -> None:
        dpg.add_button(label=fonts.ICONS[icon], tag=tag, user_data=data, callback=callback)  # pyright: ignore
        dpg.bind_item_font(tag, fonts.font("icons"))
        dpg.bind_item_theme(tag, "theme:flat")
        with dpg.tooltip(tag, delay=0.6):
            dpg.add_text(words)

    # -- what is done --------------------------------------------------------------------------------------------------

    def add(self) -> str:
        """Put a macro on the canvas, and begin to assign it; the answer is its id."""
        canvas = cast("Canvas", self.app.panels["canvas"])
        number = len(macros_of(self.session)) + 1
        id = add_item(canvas, macro_kinds(self.session)[0], canvas.free_place())
        self.session.do(Retitle(id, f"Macro {number}"), name="Name a macro")
        self.assign(id)
        return id

    def assign(self, id: str) -> None:
        """Let what is pressed next be moved by a macro; or no more."""
        now = self.app.assigning
        self.app.assigning = None if now is not None and now.macro == id else Assigning(self.session, id)

    def release(self, id: str, node: str, param: str) -> None:
        """Let a macro move a param no more."""
        edits: list[Edit] = [*release_edits(self.session, id, node, param)]
        self.session.do(*edits, name=f"Free {node}.{param}")

    def remove(self, id: str) -> None:
        """Take a macro away, with its cables."""
        self.session.do(RemoveNode(id), name=f"Remove {self.session.face(id).title}")

    def ask_name(self, id: str) -> None:
        """Let a macro's name be typed."""
        x, y = dpg.get_item_rect_min(f"macro:{id}:name")
        width, _ = dpg.get_item_rect_size(f"macro:{id}:name")
        title = self.session.face(id).title
        type_in(self.app, (x, y), width, title, lambda text: self.session.do(Retitle(id, text.strip())))

    commands: ClassVar[tuple[Command, ...]] = (
        Command("macros.add", "Add a macro", lambda app: (app.show("macros"), _panel(app).add()), (), "Add", 1),
    )


def _panel(app: App) -> Macros:
    return cast("Macros", app.panels["macros"])


class BigDial(Control):
    """A knob as large as its place allows, and its number below it."""

    def __init__(
        self, app: App, parent: int | str, turning: Turning, tag: str, size: tuple[int, int], colour: Colour
    ) -> None:
        super().__init__(app, parent, turning, tag, size)
        self.colour = colour
        self._radius = min(app.look.px(RADIUS), (size[1] - app.look.px(26)) / 2)
        self._centre = (size[0] / 2, app.look.px(4) + self._radius)
        self.show()

    def draw(self) -> None:
        theme, px, pen = self.app.look.theme, self.app.look.px, self.pen
        pen.clear()
        if self._over or self._pressed is not None:
            pen.box((0, 0), (self.width, self.height), alpha(theme.text, 0.04), radius=px(8))
        KnobFace(pen, self._centre, self._radius, self.colour, self.turning.middle).turn(self.turning.place)
        y = self._centre[1] + self._radius + px(4)
        words = f"{self.turning.place:.0%}"
        pen.words((self.width / 2, y), words, theme.text, "medium", px(15), "centre")

    def typed_at(self, touch: Touch) -> bool:
        return touch.at[1] > self._centre[1] + self._radius

    def typing_place(self) -> tuple[float, float, float]:
        return 0.0, self._centre[1] + self._radius, float(self.width)
