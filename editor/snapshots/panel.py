"""The panel of snapshots: the list, and the way between two of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, cast

import dearpygui.dearpygui as dpg

from editor import fonts
from editor.commands import Command
from editor.link import Readings
from editor.model import Changes
from editor.panel import Panel
from editor.snapshots.compare import Compare
from editor.snapshots.values import differing, fresh_name, morph, recall, rename, taken, taken_states
from editor.turning import fresh_gesture
from editor.type_in import type_in
from graph.edits import Batch, Edit, SetSnapshot

if TYPE_CHECKING:
    from editor.app import App
    from editor.plugins.panel import Plugins

NONE = "Choose a snapshot"


class Snapshots(Panel):
    """Values of params kept under names: taken, recalled, compared, and mixed."""

    def __init__(self, app: App) -> None:
        super().__init__(app)
        self.ends: list[str] = ["", ""]
        """The names of the two snapshots that the slider goes between."""
        self._gesture: object = None
        self._recalled = ""
        self._shown: object = None
        self.compare = Compare(app)

    def build(self, parent: int | str) -> None:
        px = self.app.look.px
        self._shown = None
        dpg.add_child_window(tag="snapshots:all", parent=parent, border=False, horizontal_scrollbar=True)
        dpg.bind_item_theme("snapshots:all", "theme:strip")
        with dpg.group(horizontal=True, parent="snapshots:all", horizontal_spacing=px(20)):
            with dpg.child_window(tag="snapshots:left", width=px(384), border=False):
                with dpg.group(horizontal=True):
                    dpg.add_button(label="Take snapshot", tag="snapshots:take", callback=lambda: self.take(False))
                    dpg.add_button(label="Take of selection", tag="snapshots:take-selected",
                                   callback=lambda: self.take(True))  # fmt: skip
                dpg.add_child_window(tag="snapshots:list", border=False)
            with dpg.child_window(tag="snapshots:right", width=px(452), border=False):
                self._build_morph()
            with dpg.child_window(tag="snapshots:loudness", width=px(380), border=False):
                self.compare.build()
        dpg.bind_item_theme("snapshots:take", "theme:accent")
        dpg.bind_item_theme("snapshots:left", "theme:panel")
        dpg.bind_item_theme("snapshots:right", "theme:panel")
        dpg.bind_item_theme("snapshots:loudness", "theme:panel")
        self._show()

    def _build_morph(self) -> None:
        px, theme = self.app.look.px, self.app.look.theme
        dpg.bind_item_font(dpg.add_text("Between two snapshots", color=theme.text), fonts.font("strong"))
        dpg.add_spacer(height=px(6))
        with dpg.group(horizontal=True, horizontal_spacing=px(10)):
            for end, letter in enumerate("AB"):
                dpg.add_button(label=letter, tag=f"snapshots:{letter}", width=px(34), user_data=end,
                               callback=lambda _, __, at: self.go_to(at))  # fmt: skip
                dpg.add_combo([], tag=f"snapshots:choice-{letter}", width=px(161), user_data=end,
                              callback=lambda _, name, at: self.choose(at, name))  # fmt: skip
        dpg.add_spacer(height=px(8))
        dpg.add_slider_float(tag="snapshots:morph", width=px(420), min_value=0.0, max_value=1.0, format="",
                             clamped=True, callback=lambda _, x: self.morph(x))  # fmt: skip
        if dpg.does_item_exist("snapshots:let-go"):
            dpg.delete_item("snapshots:let-go")
        with dpg.item_handler_registry(tag="snapshots:let-go"):
            dpg.add_item_deactivated_handler(callback=self._let_go)
        dpg.bind_item_handler_registry("snapshots:morph", "snapshots:let-go")
        dpg.add_spacer(height=px(6))
        dpg.add_text("", tag="snapshots:words", color=theme.dim, wrap=px(420))
        dpg.bind_item_font("snapshots:words", fonts.font("small"))

    def sync(self, changes: Changes) -> None:
        if changes.everything:
            self.ends, self._recalled = ["", ""], ""
            self.compare.forget()
        if changes.everything or changes.history or changes.selection or changes.look:
            self._show()
        if self.compare.trim_db and changes.history:
            self.compare.apply()

    def frame(self, now: float, readings: Readings) -> None:
        self.compare.step()

    def close(self) -> None:
        self.compare.forget()

    def _show(self) -> None:
        kept = self.session.patch.snapshots
        names = sorted(kept, key=str.casefold)
        self.ends = [end if end in kept else "" for end in self.ends]
        for at in (0, 1):
            if not self.ends[at]:
                self.ends[at] = next((name for name in names if name not in self.ends), "")
        sizes = [sum(map(len, kept[name].values())) for name in names]
        state = (names, sizes, tuple(self.ends), self._recalled, bool(self.session.selection), self.app.look)
        if state != self._shown:
            self._shown = state
            self._list(names, sizes)
        for end, letter in enumerate("AB"):
            dpg.configure_item(f"snapshots:choice-{letter}", items=names, default_value=self.ends[end] or NONE)
            dpg.bind_item_theme(
                f"snapshots:{letter}", "theme:lit" if self.ends[end] and self.ends[end] == self._recalled else 0
            )
        dpg.configure_item("snapshots:take-selected", show=bool(self.session.selection))
        both = all(self.ends) and self.ends[0] != self.ends[1]
        for item in ("snapshots:morph", "snapshots:A", "snapshots:B"):
            dpg.configure_item(item, enabled=both)
        words = "Two snapshots are needed." if not both else self._difference()
        dpg.set_value("snapshots:words", words)
        self.compare.compare((self.ends[0], self.ends[1]))
        self.compare.show()

    def _difference(self) -> str:
        count = differing(self.session.patch, *self.ends)
        if not count:
            return "The two have nothing in common that differs: there is no way between them, only A and B."
        return f"{count} param{'s' if count > 1 else ''} on the way from A to B."

    def _list(self, names: list[str], sizes: list[int]) -> None:
        px, theme = self.app.look.px, self.app.look.theme
        dpg.delete_item("snapshots:list", children_only=True)
        if not names:
            words = "A snapshot keeps what all params stand at, to come back to it, or to compare."
            dpg.add_text(words, color=theme.faint, parent="snapshots:list")
        for name, size in zip(names, sizes, strict=True):
            with dpg.group(horizontal=True, parent="snapshots:list", horizontal_spacing=px(6)):
                tag = f"snapshot:{name}"
                dpg.add_button(label=f"{name}##recall", tag=tag, width=px(176), user_data=name,
                               callback=lambda _, __, n: self.recall(n))  # fmt: skip
                dpg.bind_item_theme(tag, "theme:lit" if name == self._recalled else "theme:unlit")
                self._icon("pencil", f"rename:{name}", lambda _, __, n: self.ask_name(n), name, "Rename")
                self._icon("camera", f"retake:{name}", lambda _, __, n: self.retake(n), name,
                           "Take it again, of the same params")  # fmt: skip
                self._icon("trash", f"delete:{name}", lambda _, __, n: self.delete(n), name, "Delete")
                dpg.add_text(f"{size} param{'s' if size != 1 else ''}", color=theme.faint)

    def _icon(self, icon: str, tag: str, callback: object, name: str, words: str) -> None:
        dpg.add_button(label=fonts.ICONS[icon], tag=tag, user_data=name, callback=callback)  # pyright: ignore
        dpg.bind_item_font(tag, fonts.font("icons"))
        dpg.bind_item_theme(tag, "theme:flat")
        with dpg.tooltip(tag):
            dpg.add_text(words)

    # -- what is done --------------------------------------------------------------------------------------------------

    def _do(self, name: str, edits: list[Edit], gesture: object = None) -> None:
        if edits:
            self.session.do_at_root(Batch(name, tuple(edits)), name=name, gesture=gesture)

    def _settled(self, then: Callable[[], object]) -> None:
        """Do something once the patch has what was done in plugins' windows."""
        cast("Plugins", self.app.panels["plugins"]).settle(then)

    def take(self, selected: bool) -> None:
        """Keep what all params, or those of the selected nodes, stand at under a new name."""
        self._settled(lambda: self._take(selected))

    def _take(self, selected: bool) -> None:
        patch = self.session.patch
        nodes = [self.session.address(node) for node in self.session.selection] if selected else []
        name = fresh_name(patch.snapshots)
        self._recalled = name
        kept = SetSnapshot(name, taken(patch, self.session.kinds, nodes), taken_states(patch, nodes))
        self._do(f"Take {name}", [kept])

    def retake(self, name: str) -> None:
        """Keep what the params of a snapshot stand at now."""
        self._settled(lambda: self._retake(name))

    def _retake(self, name: str) -> None:
        if name not in self.session.patch.snapshots:
            return  # it was deleted meanwhile
        patch, now = self.session.patch, taken(self.session.patch, self.session.kinds)
        values = {
            node: {param: now.get(node, {}).get(param, value) for param, value in params.items()}
            for node, params in patch.snapshots[name].items()
        }
        self._recalled = name
        states = taken_states(patch, list(values)) if values else None
        self._do(f"Take {name} again", [SetSnapshot(name, values, states)])

    def recall(self, name: str) -> None:
        """Go to a snapshot."""
        self._recalled = name
        self._settled(lambda: self._recall(name))

    def _recall(self, name: str) -> None:
        edits, missing = recall(self.session.patch, self.session.kinds, name)
        self._recalled = name
        self._go(float(self.ends.index(name)) if name in self.ends else None)
        self._do(f"Recall {name}", edits)
        if missing:
            gone = f"{missing} of its values are" if missing > 1 else "one of its values is"
            self.app.notices.say("warning", f"{name} is recalled, but {gone} of params that are not there any more")
        self._show()

    def delete(self, name: str) -> None:
        """Keep a snapshot no more."""
        self._do(f"Delete {name}", [SetSnapshot(name, None)])

    def ask_name(self, name: str) -> None:
        """Let a snapshot's name be typed."""
        x, y = dpg.get_item_rect_min(f"snapshot:{name}")
        width, _ = dpg.get_item_rect_size(f"snapshot:{name}")
        type_in(self.app, (x, y), width, name, lambda text: self.rename(name, text))

    def rename(self, old: str, new: str) -> None:
        """Give a snapshot another name. Raises PatchError."""
        self._do(f"Rename {old}", rename(self.session.patch, old, new))
        self.ends = [new.strip() if end == old else end for end in self.ends]
        self._recalled = new.strip() if self._recalled == old else self._recalled

    def choose(self, end: int, name: str) -> None:
        """Choose one of the two."""
        self.ends[end] = name
        self._show()

    def go_to(self, end: int) -> None:
        """Go to one of the two."""
        dpg.set_value("snapshots:morph", float(end))
        self.recall(self.ends[end])

    def toggle(self) -> None:
        """From A to B, or from B to A."""
        if all(self.ends):
            self.go_to(0 if self._recalled == self.ends[1] else 1)

    def morph(self, x: float) -> None:
        """Go to a place between the two."""
        self._gesture = self._gesture or fresh_gesture("morph")
        edits = morph(self.session.patch, self.session.kinds, *self.ends, x)
        self._recalled = ""
        self._go(x)
        self._do(f"Between {self.ends[0]} and {self.ends[1]}", edits, self._gesture)

    def _go(self, at: float | None) -> None:
        """The patch stands somewhere else between A and B."""
        self.compare.at = at
        self.compare.apply()

    def _let_go(self) -> None:
        self._gesture = None
        self.session.end_gesture()

    commands: ClassVar[tuple[Command, ...]] = (
        Command("snapshots.take", "Take snapshot", lambda app: _panel(app).take(False), menu="Edit", group=8),
        Command("snapshots.toggle", "Compare snapshots A, B", lambda app: _panel(app).toggle(), menu="Edit", group=8),
        Command("snapshots.match", "Compare A, B at one loudness", lambda app: _panel(app).compare.toggle(), (), "Edit",
                8),
    )  # fmt: skip


def _panel(app: App) -> Snapshots:
    found = app.panels["snapshots"]
    assert isinstance(found, Snapshots)
    return found
