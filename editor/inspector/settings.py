"""The settings of a node, each with the widget that its type asks for. What cannot be is said, and not stored."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dearpygui.dearpygui as dpg

from editor import fonts
from editor.controls.hands import hands_of
from editor.controls.picker import DevicePicker
from editor.dials import Flip
from editor.faces import spoken
from editor.inspector.params import BESIDE, labelled
from editor.inspector.subject import Subject
from editor.turning import Turning
from graph.declare import Setting, Switch
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


class _Switched(Turning):
    """A setting that is on or off, as something to flip."""

    assignable = controllable = False

    def __init__(self, subject: Subject, setting: Setting) -> None:
        super().__init__(subject.session, (subject.id,), Switch(setting.name, int(bool(setting.default)), setting.doc))
        self.setting = setting

    def values(self) -> list[float]:
        """1 where it is on."""
        here = self.session.here
        stored = (here.node(id).settings.get(self.setting.name, self.setting.default) for id in self.there)
        return [float(bool(value)) for value in stored]

    def reset(self) -> None:
        """Let the default hold."""
        self.put(self.unset)

    def _do(self, values: Mapping[str, float]) -> None:
        for id, value in values.items():
            kept = UNSET if (value >= 0.5) == self.setting.default else value >= 0.5
            self.session.do(SetSetting(id, self.setting.name, kept))


UNITS = {"s": "s", "ms": "ms", "hz": "Hz", "db": "dB"}


def label_of(setting: Setting) -> str:
    """A setting's name as words, with its unit behind."""
    stem, _, unit = setting.name.rpartition("_")
    return f"{spoken(stem)} ({UNITS[unit]})" if stem and unit in UNITS else spoken(setting.name)


def _help(setting: Setting) -> str:
    return setting.doc + ("" if setting.type in ("text", "path", "midi_device") else f"\nExpects {setting.expected}.")


def shown_choice(setting: Setting, choice: str) -> str:
    """A choice as it is shown; layouts are called what they are called everywhere."""
    return choice if setting.type == "layout" else spoken(choice)


class Settings:
    """Widgets for the settings that a node's kind declares."""

    def __init__(
        self,
        app: App,
        subject: Subject,
        parent: int | str,
        width: int,
        pick: Callable[[str], None],
        hidden: frozenset[str] = frozenset(),
    ) -> None:
        self.app, self.subject = app, subject
        self._declared = tuple(s for s in subject.face.declared if s.name not in hidden)
        self._flips: list[Flip] = []
        self._handlers: list[int | str] = []
        self._pickers: dict[str, DevicePicker] = {}
        for setting in self._declared:
            if setting.type == "switch":
                cell, turning = dpg.add_group(parent=parent), _Switched(subject, setting)
                self._flips.append(Flip(app, cell, turning, self._tag(setting), width, label_of(setting)))
                with dpg.tooltip(cell, delay=0.7):
                    dpg.add_text(setting.doc, wrap=app.look.px(280))
            else:
                self._add(setting, parent, width, pick)
        self.show(subject)

    def _tag(self, setting: Setting) -> str:
        return f"inspector:{self.subject.id}:{setting.name}"

    def _add(self, setting: Setting, parent: int | str, width: int, pick: Callable[[str], None]) -> None:
        tag, label, px = self._tag(setting), label_of(setting), self.app.look.px
        wide = int(width * BESIDE)
        with labelled(self.app, parent, label, width, _help(setting)):
            match setting.type:
                case "choice" | "layout":
                    names = {shown_choice(setting, choice): choice for choice in setting.choices}
                    dpg.add_combo(
                        list(names), tag=tag, width=wide, callback=lambda s, name: self._set(setting, names[name])
                    )
                case "midi_device":
                    devices, take = hands_of(self.app).devices, lambda name: self._set(setting, name)
                    self._pickers[setting.name] = DevicePicker(self.app, devices, tag, wide, take)
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

    def _typed(self, setting: Setting, tag: str) -> None:
        with dpg.item_handler_registry() as handlers:
            dpg.add_item_deactivated_after_edit_handler(callback=lambda: self._take(setting, tag))
        dpg.bind_item_handler_registry(tag, handlers)
        self._handlers.append(handlers)

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
        for flip in self._flips:
            flip.show()
        for setting in self._declared:
            if setting.type == "switch":
                continue
            value = subject.face.settings.get(setting.name, setting.default)
            if setting.type == "midi_device":
                self._pickers[setting.name].show(str(value))
                continue
            choice = setting.type in ("choice", "layout")
            shown = shown_choice(setting, value) if choice else written(setting, value)
            if not dpg.is_item_active(self._tag(setting)):
                dpg.set_value(self._tag(setting), shown)

    def frame(self) -> None:
        """Some 30 times a second."""
        for picker in self._pickers.values():
            picker.frame()

    def free(self) -> None:
        """It is there no more."""
        for handlers in self._handlers:  # they lie in no item that goes
            dpg.delete_item(handlers)
        for flip in self._flips:
            flip.free()


def undeclared(subject: Subject) -> Mapping[str, Any]:
    """What a node keeps that its kind does not know."""
    known = {s.name for s in subject.face.declared}
    known |= {"patch", "ports", "params"} if subject.face.kind == "group" else set()
    stored = subject.session.here.node(subject.id).settings
    return {name: value for name, value in stored.items() if name not in known}
