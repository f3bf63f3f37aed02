"""The presets of a plugin: the programs that it has itself, the user's own presets, and those that other software
keeps; loaded as one undoable step.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

import dearpygui.dearpygui as dpg

from editor import fonts
from editor.files.chooser import Chooser
from editor.files.dialog import Ask, Dialog, Tag
from editor.plugins.turning import PluginTurning
from graph.document import NodeEntry
from graph.edits import Edit
from graph.errors import PatchError

if TYPE_CHECKING:
    from editor.app import App
    from editor.plugins.panel import Plugins
    from host.plugins.description import Description
    from host.plugins.presets import PresetFolder

SUFFIX = ".vstpreset"


def preset_edit(id: str, entry: NodeEntry, data: bytes, uid: str, name: str, place: str) -> Edit:
    """What makes a preset's bytes the state of a plugin node. Raises PatchError where they are none of this plugin."""
    from host.plugins.errors import PluginError
    from host.plugins.presets import pack, unpack
    from host.plugins.replacing import preset_edit as make

    try:
        preset = unpack(data, place)
    except PluginError as error:
        raise PatchError(str(error)) from None
    if preset.uid != uid.upper():
        raise PatchError(f"{place} is a preset of another plugin ({preset.uid})")
    return make(id, entry, pack(preset), name)


class Presets(Dialog):
    """Lists presets; a click loads one. Saving asks the engine for the plugin's whole state."""

    id = "presets"
    size = (620, 560)

    def __init__(self, app: App, plugins: Plugins, node: str) -> None:
        super().__init__(app)
        self.plugins, self.node = plugins, node
        self.face = app.session.face(node)
        self.title = f"Presets of {self.face.about.name if self.face.about else self.face.title}"
        self.typed = ""
        self.names: dict[str, Path] = {}
        self.folder = self._folder()
        self.programs = self._programs()

    def _programs(self) -> list[PluginTurning]:
        """The params that choose a program of the plugin's own."""
        app, face, playing = self.app, self.face, self.plugins.playing
        found = [(param, own) for param in face.params if (own := face.own.get(param.name)) and own.program]
        turnings = [PluginTurning(app.session, self.node, param, own, playing, app.sound) for param, own in found]
        return [turning for turning in turnings if turning.choices]

    def _folder(self) -> PresetFolder:
        from host.plugins.presets import PresetFolder

        return PresetFolder(cast("Description", self.face.about))

    def body(self, parent: Tag) -> None:
        px = self.app.look.px
        dpg.add_input_text(
            tag=self.tag("search"), hint="Search", width=-1, parent=parent, default_value=self.typed,
            callback=lambda _, text: self._search(text),
        )  # fmt: skip
        dpg.add_child_window(
            tag=self.tag("list"), parent=parent, height=self._room()[1] - px(186), border=False,
            always_use_window_padding=True,
        )  # fmt: skip
        dpg.bind_item_theme(self.tag("list"), "theme:card")
        dpg.add_spacer(height=px(4), parent=parent)
        with dpg.group(horizontal=True, parent=parent, horizontal_spacing=px(8)):
            dpg.add_input_text(
                tag=self.tag("name"), hint="Name of a new preset", width=px(300), on_enter=True,
                callback=lambda: self._save(),
            )  # fmt: skip
            dpg.add_button(label="Save as it is now", tag=self.tag("save"), callback=lambda: self._save())
        dpg.add_spacer(height=px(8), parent=parent)
        self.buttons(
            ("import", "Load a file…", self._from_file, ""),
            ("export", "Save to a file…", self._to_file, ""),
            ("cancel", "Close", self.cancel, "theme:accent"),
            parent=parent,
        )
        self._list()

    def _search(self, typed: str) -> None:
        self.typed = typed
        self._list()

    def _list(self) -> None:
        px, theme, parent = self.app.look.px, self.app.look.theme, self.tag("list")
        dpg.delete_item(parent, children_only=True)
        self.names = self.folder.list()
        words = self.typed.casefold().split()
        found = sorted((n for n in self.names if all(w in n.casefold() for w in words)), key=str.casefold)
        programs = False
        for turning in self.programs:
            rows = [(k, name) for k, name in enumerate(turning.choices) if all(w in name.casefold() for w in words)]
            if rows:
                programs = True
                dpg.add_text(f"{turning.label}, of the plugin itself", color=theme.dim, parent=parent)
            for k, name in rows:
                dpg.add_selectable(
                    label=f"{name}##{turning.param.name}{k}", tag=self.tag(f"program:{turning.param.name}:{k}"),
                    width=px(430), parent=parent, callback=partial(self._choose, turning, k),
                )  # fmt: skip
        if programs and found:
            dpg.add_text("Presets", color=theme.dim, parent=parent)
        for k, name in enumerate(found):
            own = self.names[name].is_relative_to(self.folder.own)
            with dpg.group(horizontal=True, parent=parent, horizontal_spacing=px(8)):
                dpg.add_selectable(
                    label=f"{name}##{k}", tag=self.tag(f"row:{name}"), width=px(430), callback=partial(self._load, name)
                )
                if own:
                    button = dpg.add_button(
                        label="Delete", tag=self.tag(f"delete:{name}"), small=True, callback=partial(self._delete, name)
                    )
                    dpg.bind_item_theme(button, "theme:flat")
                    dpg.bind_item_font(button, fonts.font("small"))
        if not found and not programs:
            text = (
                "Nothing fits."
                if self.names or self.programs
                else "There are no presets yet. Save one below, or load a file."
            )
            dpg.add_text(text, color=theme.faint, parent=parent, wrap=px(560))

    # -- what it does --------------------------------------------------------------------------------------------------

    def _choose(self, turning: PluginTurning, index: int) -> None:
        def choose() -> None:
            turning.choose(index)
            self.app.notices.say("good", f"{turning.label}: {turning.choices[index]}")

        self.app.settle(choose, True)

    def _load(self, name: str) -> None:
        self._load_file(self.names[name], name)

    def _load_file(self, path: Path, name: str) -> None:
        """Load a preset, once the patch has what undo is to bring back."""
        self.app.settle(lambda: self._take(path, name), True)

    def _take(self, path: Path, name: str) -> None:
        from host.plugins.presets import LARGEST

        session = self.app.session
        try:
            if path.stat().st_size > LARGEST:
                raise PatchError(f"{path.name} is larger than any preset")
            data = path.read_bytes()
        except OSError as error:
            raise PatchError(f"{path}: {error.strerror}") from None
        uid = str(getattr(self.face.about, "uid", ""))
        edit = preset_edit(self.node, session.here.node(self.node), data, uid, name, path.name)
        session.do(edit, name=f"Load preset {name}")
        self.app.notices.say("good", f"Preset: {name}")

    def _state(self, then: Callable[[bytes], object]) -> None:
        """The plugin's state, asked of the engine without waiting."""
        plugins, address = self.plugins.playing.engine, self.app.session.address(self.node)
        if plugins is None:
            raise PatchError("without an engine the plugin cannot be asked for its state")

        def ask(_: object) -> None:
            state = plugins.state(address)
            self.plugins.playing.later(lambda: then(state))

        self.app.sound.ask(ask)

    def _save(self) -> None:
        name = str(dpg.get_value(self.tag("name"))).strip()
        if not name:
            raise PatchError("a preset needs a name")
        if name in self.names:
            answers = [("replace", "Replace", lambda: self._keep(name), "theme:danger")]
            Ask(self.app, f"Replace {name}?", "There is a preset of this name.", answers, id="replace-preset").open()
        else:
            self._keep(name)

    def _keep(self, name: str) -> None:
        from host.plugins.errors import PluginError

        def keep(state: bytes) -> None:
            try:
                self.folder.save(name, state, replace=True)
            except PluginError as error:
                raise PatchError(str(error)) from None
            self.app.notices.say("good", f"Preset saved: {name}")
            if self.is_open:
                dpg.set_value(self.tag("name"), "")
                self._list()

        self._state(keep)

    def _delete(self, name: str) -> None:
        from host.plugins.errors import PluginError

        def delete() -> None:
            try:
                self.folder.delete(name)
            except PluginError as error:
                raise PatchError(str(error)) from None
            if self.is_open:
                self._list()

        answers = [("delete", "Delete", delete, "theme:danger")]
        Ask(self.app, f"Delete {name}?", "The file of this preset is removed.", answers, id="delete-preset").open()

    def _from_file(self) -> None:
        Chooser(
            self.app, "open", "Load a preset", lambda path: self._load_file(path, path.stem), suffixes=(SUFFIX,)
        ).open()

    def _to_file(self) -> None:
        def write(path: Path) -> None:
            def keep(state: bytes) -> None:
                from host.plugins.errors import PluginError
                from host.plugins.presets import unpack
                from host.plugins.presets import write as write_file

                try:
                    write_file(path, unpack(state, path.name))
                except PluginError as error:
                    raise PatchError(str(error)) from None
                self.app.notices.say("good", f"Preset written: {path.name}")

            self._state(keep)

        name = f"{self.face.title}{SUFFIX}"
        Chooser(self.app, "save", "Save the preset", write, name=name, suffixes=(SUFFIX,)).open()
