"""The settings of a node, each with the widget that its type asks for. What cannot be is said, and not stored."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dearpygui.dearpygui as dpg

from editor import fonts
from editor.faces import spoken
from editor.inspector.params import BESIDE, labelled
from editor.inspector.subject import Subject
from graph.declare import Setting
from graph.edits import UNSET, SetSetting
from graph.errors import PatchError

if TYPE_CHECKING:
    from editor.app import App


def read(setting: Setting, text: str) -> Any:
    """What a typed text means to a setting. Raises PatchError, saying what was expected."""
    value: Any = text
    match setting.type:
        case "integer" | "number":
            try:
                value = float(text.replace("−", "-").replace(",", "."))
            except ValueError:
                raise PatchError(f"expected {setting.expected}, found {text!r}") from None
        case "map":
            try:
                value = json.loads(text or "{}")
            except (ValueError, RecursionError):
                raise PatchError(f"expected {setting.expected}, as JSON") from None
    return setting.check(value)


def written(setting: Setting, value: Any) -> str:
    """A setting's value as text to be changed."""
    if setting.type == "map":
        return json.dumps(value, ensure_ascii=False)
    return f"{value:g}" if isinstance(value, float) else str(value)


def within_folder(folder: Path | None, file: Path) -> str:
    """How a patch in a folder names a file: relative to the folder where it is below it, otherwise in full."""
    try:
        return file.resolve().relative_to((folder or Path.cwd()).resolve()).as_posix()
    except ValueError:
        return file.resolve().as_posix()


class Settings:
    """Widgets for the settings that a node's kind declares."""

    def __init__(self, app: App, subject: Subject, parent: int | str, width: int, pick: Callable[[str], None]) -> None:
        self.app, self.subject = app, subject
        kind = subject.session.kinds.get(subject.face.kind)
        self._declared = kind.settings_declared() if kind else ()
        for setting in self._declared:
            self._add(setting, parent, width, pick)
        self.show(subject)

    def _tag(self, setting: Setting) -> str:
        return f"inspector:{self.subject.id}:{setting.name}"

    def _add(self, setting: Setting, parent: int | str, width: int, pick: Callable[[str], None]) -> None:
        tag, label, px = self._tag(setting), spoken(setting.name), self.app.look.px
        wide = int(width * BESIDE)
        with labelled(self.app, parent, label, width):
            match setting.type:
                case "switch":
                    dpg.add_checkbox(tag=tag, callback=lambda s, on: self._set(setting, bool(on)))
                case "choice" | "layout":
                    dpg.add_combo(setting.choices, tag=tag, width=wide, callback=lambda s, v: self._set(setting, v))
                case "path":
                    with dpg.group(horizontal=True, horizontal_spacing=px(4)):
                        dpg.add_input_text(tag=tag, width=wide - px(36), hint="No file")
                        dpg.add_button(
                            label=fonts.ICONS["folder"], tag=f"{tag}:browse", width=px(32),
                            callback=lambda: pick(setting.name),
                        )  # fmt: skip
                        dpg.bind_item_font(f"{tag}:browse", fonts.font("icon"))
                    self._typed(setting, tag)
                case _:
                    dpg.add_input_text(tag=tag, width=wide, hint="{}" if setting.type == "map" else "")
                    self._typed(setting, tag)
        with dpg.tooltip(tag, delay=0.7):
            words = setting.doc + ("" if setting.type in ("text", "path") else f"\nExpects {setting.expected}.")
            dpg.add_text(words, wrap=px(280))

    def _typed(self, setting: Setting, tag: str) -> None:
        with dpg.item_handler_registry() as handlers:
            dpg.add_item_deactivated_after_edit_handler(callback=lambda: self._take(setting, tag))
        dpg.bind_item_handler_registry(tag, handlers)

    def _take(self, setting: Setting, tag: str) -> None:
        try:
            self._set(setting, read(setting, dpg.get_value(tag)))
        except PatchError as error:
            self.app.notices.say("warning", f"{spoken(setting.name)}: {error.message}")
            self.show(self.subject)

    def _set(self, setting: Setting, value: Any) -> None:
        if value != self.subject.face.settings.get(setting.name):
            kept = UNSET if value == setting.default else value
            self.subject.session.do(SetSetting(self.subject.id, setting.name, kept))

    def show(self, subject: Subject) -> None:
        """The node is as this says now."""
        self.subject = subject
        for setting in self._declared:
            value = subject.face.settings.get(setting.name, setting.default)
            shown = value if setting.type in ("switch", "choice", "layout") else written(setting, value)
            if not dpg.is_item_active(self._tag(setting)):
                dpg.set_value(self._tag(setting), shown)


def undeclared(subject: Subject) -> Mapping[str, Any]:
    """What a node keeps that its kind does not know."""
    kind = subject.session.kinds.get(subject.face.kind)
    known = {s.name for s in kind.settings_declared()} if kind else set[str]()
    known |= {"patch", "ports", "params"} if subject.face.kind == "group" else set()
    stored = subject.session.here.node(subject.id).settings
    return {name: value for name, value in stored.items() if name not in known}
