"""The settings dialog: sound, look, folders. What is chosen holds at once."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg

from editor import fonts
from editor.files.chooser import Chooser
from editor.files.dialog import Dialog, Tag
from editor.files.testtone import sine
from editor.settings import BLOCKS, DISK_CACHES, RATES
from editor.theme import SCALES, THEMES, look

if TYPE_CHECKING:
    from editor.app import App
    from editor.files.panel import Files

DEFAULT, NULL = "The system's default", "null"
NULL_WORDS = "None (silent)"
TONE_S = 1.5
THEME_WORDS = {"dark": "Dark", "light": "Light", "contrast": "High contrast"}


class Preferences(Dialog):
    """Asks for everything in ``editor.settings``."""

    id = "settings"
    title = "Settings"
    size = (620, 0)

    def __init__(self, app: App, files: Files) -> None:
        super().__init__(app)
        self.files = files
        self._outputs: list[tuple[str, str]] = []
        self._inputs: list[tuple[str, str]] = []
        self._why = ""
        self._listed = threading.Event()
        self._shown = False
        self._tone_until: float | None = None
        self._rolled = False
        """Whether the transport rolled before the tone."""
        threading.Thread(target=self._list, name="device list", daemon=True).start()

    def _list(self) -> None:
        """Ask the system what there is; that may take a while."""
        try:
            from host.devices.opening import devices, why_none

            infos = [info for info in devices() if info.index >= 0]
            self._outputs = [(info.label, info.name) for info in infos if info.outputs]
            self._inputs = [(info.label, info.name) for info in infos if info.inputs]
            self._why = why_none()
        except Exception as error:  # what a sound system does when it is asked is its own affair
            self._why = f"The devices cannot be listed: {error}"
        self._listed.set()

    # -- what it shows -------------------------------------------------------------------------------------------------

    def body(self, parent: Tag) -> None:
        self._shown = False
        px, s = self.app.look.px, self.files.settings
        dpg.add_group(tag=self.tag("form"), parent=parent)
        self._head("Sound")
        with self._line("Output"):
            dpg.add_combo([], tag=self.tag("device"), width=px(330), callback=lambda _, w: self._device("device", w))
            dpg.add_button(label="Test tone", tag=self.tag("tone"), callback=lambda: self._tone())
        with self._line("Input"):
            dpg.add_combo(
                [], tag=self.tag("in_device"), width=px(330), callback=lambda _, w: self._device("in_device", w)
            )
        with self._line("Block size"):
            words = ["The device's own", *(f"{b} frames" for b in BLOCKS[1:])]
            now = f"{s.block} frames" if s.block else words[0]
            dpg.add_combo(
                words,
                default_value=now,
                tag=self.tag("block"),
                width=px(210),
                callback=lambda _, w: self._sound(block=_number(w)),
            )
        with self._line("Sample rate"):
            words = ["As the patch", *(f"{r} Hz" for r in RATES[1:])]
            now = f"{s.rate} Hz" if s.rate else words[0]
            dpg.add_combo(
                words,
                default_value=now,
                tag=self.tag("rate"),
                width=px(210),
                callback=lambda _, w: self._sound(rate=_number(w)),
            )
        with self._line("Disk cache"):
            choices = {_cache_words(mb): mb for mb in (*DISK_CACHES, s.disk_cache_mb)}
            dpg.add_combo(
                list(choices),
                default_value=_cache_words(s.disk_cache_mb),
                tag=self.tag("disk_cache"),
                width=px(210),
                callback=lambda _, w: self._keep_files(choices[w]),
            )
        with self._line(""):
            dpg.add_text("Looking for devices…", tag=self.tag("status"), color=self.app.look.theme.dim, wrap=px(440))
        self._head("Look")
        with self._line("Theme"):
            dpg.add_combo(
                [THEME_WORDS.get(t, t) for t in THEMES],
                default_value=THEME_WORDS.get(s.theme, s.theme),
                tag=self.tag("theme"),
                width=px(210),
                callback=lambda _, w: self._look(theme=_theme(w)),
            )
        with self._line("Size"):
            words = [f"{scale:.0%}" for scale in SCALES]
            dpg.add_combo(
                words,
                default_value=f"{s.scale:.0%}",
                tag=self.tag("scale"),
                width=px(210),
                callback=lambda _, w: self._look(scale=SCALES[words.index(w)]),
            )
        with self._line(""):
            dpg.add_checkbox(
                label="Colours of pins that are told apart by everybody",
                default_value=s.safe_pins,
                tag=self.tag("safe_pins"),
                callback=lambda _, on: self._look(safe_pins=bool(on)),
            )
        self._head("Folders")
        for name, label in (("patch_folder", "Patches"), ("render_folder", "Renders")):
            with self._line(label):
                dpg.add_input_text(
                    tag=self.tag(name), default_value=getattr(s, name), hint="as it comes", width=px(330), readonly=True
                )
                dpg.add_button(label="Choose…", user_data=name, callback=lambda _, __, field: self._choose(field))
                dpg.add_button(label="Clear", user_data=name, callback=lambda _, __, field: self._folder(field, ""))
        with self._line(""):
            dpg.add_checkbox(
                label="Ask for files in the system's own windows, where there are some",
                default_value=s.system_dialogs,
                tag=self.tag("system_dialogs"),
                callback=lambda _, on: self.files.choose_settings(system_dialogs=bool(on)),
            )
        dpg.add_spacer(height=px(10), parent=parent)
        self.buttons(
            ("keys", "Shortcuts…", self._keys, ""), ("cancel", "Close", self.cancel, "theme:accent"), parent=parent
        )

    def _head(self, words: str) -> None:
        px = self.app.look.px
        dpg.add_spacer(height=px(6), parent=self.tag("form"))
        item = dpg.add_text(words.upper(), color=self.app.look.theme.faint, parent=self.tag("form"))
        dpg.bind_item_font(item, fonts.font("small"))

    def _line(self, label: str) -> AbstractContextManager[None]:
        return self.line(label, self.tag("form"))

    def frame(self, now: float) -> None:
        if self._listed.is_set() and not self._shown:
            self._shown = True
            self._show_devices()
        if self._tone_until is not None and now > self._tone_until:
            self._end_tone()

    def _show_devices(self) -> None:
        for name, found in (("device", self._outputs), ("in_device", self._inputs)):
            chosen = getattr(self.files.settings, name)
            labels = [DEFAULT, NULL_WORDS, *(label for label, _ in found)]
            now = next((label for label, device in found if device == chosen), chosen or DEFAULT)
            dpg.configure_item(self.tag(name), items=labels)
            dpg.set_value(self.tag(name), NULL_WORDS if chosen == NULL else now)
        count = len(self._outputs)
        dpg.set_value(self.tag("status"), self._why or f"{count} output{'s' if count != 1 else ''} found.")

    # -- what it does --------------------------------------------------------------------------------------------------

    def _device(self, field: str, words: str) -> None:
        found = dict(self._outputs if field == "device" else self._inputs)
        self._sound(**{field: "" if words == DEFAULT else NULL if words == NULL_WORDS else found.get(words, "")})

    def _sound(self, **fields: object) -> None:
        self.files.choose_settings(**fields)
        s = self.files.settings
        self.app.sound.open_device(s.device, s.in_device, s.rate, s.block)

    def _keep_files(self, disk_cache_mb: int | None) -> None:
        self.files.choose_settings(disk_cache_mb=disk_cache_mb)
        self.app.sound.keep_files(disk_cache_mb)

    def _tone(self) -> None:
        """A second of a quiet tone in place of the patch."""
        if self.app.sound.state.phase != "on":
            dpg.set_value(self.tag("status"), "There is no engine to play it.")
            return
        tone = sine()
        self._rolled = self.app.sound.state.rolling
        self.app.sound.ask(lambda player: player.load(tone, wait=False))
        self.app.sound.play()
        self._tone_until = monotonic() + TONE_S
        dpg.configure_item(self.tag("tone"), enabled=False, label="Playing…")

    def _end_tone(self) -> None:
        self._tone_until = None
        if not self._rolled:
            self.app.sound.stop()
        self.app.session.patch_changed = True
        if dpg.does_item_exist(self.tag("tone")):
            dpg.configure_item(self.tag("tone"), enabled=True, label="Test tone")

    def _look(self, **fields: object) -> None:
        self.files.choose_settings(**fields)
        s = self.files.settings
        self.app.relook(look(s.theme, s.scale, s.safe_pins))

    def _choose(self, field: str) -> None:
        Chooser(
            self.app,
            "folder",
            "Choose a folder",
            lambda path: self._folder(field, str(path)),
            folder=self.files.settings.folder(field) or Path.home(),
        ).open()

    def _folder(self, field: str, path: str) -> None:
        self.files.choose_settings(**{field: path})
        dpg.set_value(self.tag(field), path)

    def _keys(self) -> None:
        self.files.shortcuts()

    def close(self) -> None:
        if self._tone_until is not None:
            self._end_tone()
        super().close()


def _number(words: str) -> int:
    first = words.split()[0]
    return int(first) if first.isdigit() else 0


def _cache_words(megabytes: int | None) -> str:
    if megabytes is None:
        return "As memory allows"
    if megabytes == 0:
        return "None"
    return f"{megabytes} MB" if megabytes < 1000 else f"{megabytes / 1000:g} GB"


def _theme(words: str) -> str:
    return next((name for name, label in THEME_WORDS.items() if label == words), words)
