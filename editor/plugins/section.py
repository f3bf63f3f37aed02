"""The inspector's part of a plugin node: how it is doing, its window, its presets; and what to do without it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import dearpygui.dearpygui as dpg

from editor import fonts
from editor.inspector.subject import Subject
from editor.link import Readings
from editor.plugins.presets import Presets
from editor.plugins.turning import PluginTurning
from editor.plugins.words import doing, latency_words, measured_words, origin, other_version, runs_on
from editor.theme import mix
from editor.turning import Turning
from editor.type_in import type_in
from graph.edits import UNSET, SetSetting
from graph.spec import Param

if TYPE_CHECKING:
    from editor.app import App
    from editor.plugins.panel import Plugins

IDENTITY = frozenset({"format", "uid", "name", "vendor", "version", "path_hint"})
"""The settings that say which plugin it is; they are chosen in the browser, not typed."""
LATENCY = "latency_frames"
OWN = IDENTITY | {LATENCY}
"""The settings that have a place here."""
MOST_SUBSTITUTES = 4


def _quiet(app: App) -> str:
    """The theme of a button that does nothing now."""
    tag = "theme:quiet"
    if not dpg.does_item_exist(tag):
        dpg.add_theme(tag=tag)
    dpg.delete_item(tag, children_only=True)
    part = dpg.add_theme_component(dpg.mvButton, enabled_state=False, parent=tag)
    dpg.add_theme_color(dpg.mvThemeCol_Text, app.look.theme.faint, parent=part)
    dpg.add_theme_color(dpg.mvThemeCol_Button, app.look.theme.raised, parent=part)
    dpg.add_theme_color(dpg.mvThemeCol_ButtonHovered, app.look.theme.raised, parent=part)
    return tag


class PluginSection:
    """Made for one node, brought up to date by ``show`` and ``frame``."""

    def __init__(self, app: App, subject: Subject, parent: int | str, width: int) -> None:
        self.app, self.subject, self.width = app, subject, width
        self.plugins = cast("Plugins", app.panels["plugins"])
        self.playing = self.plugins.playing
        self._shown: object = None
        self._opens = True
        """Whether the button for its window says that it opens it: what it says is what it does."""
        self._measured = ""
        px = app.look.px
        self.root = dpg.add_group(parent=parent)
        dpg.add_spacer(height=px(2), parent=self.root)
        if not subject.face.about and not subject.face.missing:
            self._unnamed()
        elif subject.face.missing:
            self._missing()
        else:
            self._found()

    def tag(self, name: str) -> str:
        """The tag of one of its items."""
        return f"inspector:{self.subject.id}:plugin:{name}"

    def _text(self, words: str, role: fonts.Role = "body", colour: Any = None, tag: str = "") -> None:
        item = dpg.add_text(
            words, wrap=self.width, color=colour or self.app.look.theme.dim, parent=self.root,
            tag=tag or dpg.generate_uuid(),
        )  # fmt: skip
        dpg.bind_item_font(item, fonts.font(role))

    # -- a plugin that is here -----------------------------------------------------------------------------------------

    def _found(self) -> None:
        px, theme, face = self.app.look.px, self.app.look.theme, self.subject.face
        self._text(origin(face), "small")
        self._measured = measured_words(face, self.app.session.shelf)
        other = other_version(face)
        if other:
            with dpg.group(horizontal=True, parent=self.root, horizontal_spacing=px(6)):
                text = dpg.add_text(other, wrap=self.width - px(80), color=theme.warn)
                dpg.bind_item_font(text, fonts.font("small"))
                button = dpg.add_button(label="Noted", tag=self.tag("noted"), small=True, callback=self._note_version)
                dpg.bind_item_font(button, fonts.font("small"))
        dpg.add_spacer(height=px(2), parent=self.root)
        with dpg.group(horizontal=True, parent=self.root, horizontal_spacing=px(6)):
            mark = dpg.add_text(fonts.ICONS["record"], tag=self.tag("mark"), color=theme.dim)
            dpg.bind_item_font(mark, fonts.font("icons"))
            dpg.add_text("", tag=self.tag("doing"))
            with dpg.tooltip(self.tag("doing"), tag=self.tag("tip"), delay=0.3):
                dpg.add_text("", tag=self.tag("tip:words"), wrap=px(320))
        self._text("", "small", tag=self.tag("more"))
        dpg.configure_item(self.tag("more"), show=False)
        third = (self.width - px(12)) * 29 // 100
        with dpg.group(horizontal=True, parent=self.root, horizontal_spacing=px(6)):
            dpg.add_button(
                label="Open window",
                tag=self.tag("window"),
                width=self.width - px(12) - 2 * third,
                callback=self._window,
            )
            dpg.add_button(
                label="Presets…", tag=self.tag("presets"), width=third,
                callback=lambda: Presets(self.app, self.plugins, self.subject.id).open(),
            )  # fmt: skip
            dpg.add_button(label="Replace…", tag=self.tag("replace"), width=third, callback=self._replace)
        backend, why = runs_on(face, self.app.session.shelf)
        for name, words, help in (("Runs on", backend, why), ("Latency", "", "")):
            if not words and name != "Latency":
                continue
            with dpg.group(horizontal=True, parent=self.root, horizontal_spacing=0):
                label = dpg.add_text(name, color=theme.dim)
                dpg.bind_item_font(label, fonts.font("small"))
                size = fonts.ROLES["small"][1] * self.app.look.scale
                dpg.add_spacer(width=max(round(px(72) - fonts.width(name, "small", size)), 1))
                beside = px(72) + (px(48) if name == "Latency" else 0)
                item = dpg.add_text(words, tag=self.tag(name.split()[-1].lower()), wrap=self.width - beside)
                dpg.bind_item_font(item, fonts.font("small"))
                if help:
                    with dpg.tooltip(item, delay=0.4):
                        dpg.add_text(help, wrap=px(320))
                if name == "Latency":
                    button = dpg.add_button(label="Set…", tag=self.tag("set"), small=True, callback=self._type_latency)
                    dpg.bind_item_font(button, fonts.font("small"))
                    dpg.bind_item_theme(button, "theme:flat")
                    with dpg.tooltip(button, delay=0.4):
                        words = (
                            "For a plugin that reports a wrong latency: frames to make up for; empty: as it reports."
                        )
                        dpg.add_text(words, wrap=px(320))
        self._update()

    def _type_latency(self) -> None:
        left, top = dpg.get_item_rect_min(self.tag("set"))
        now = self.subject.face.settings.get(LATENCY, -1)
        type_in(self.app, (left, top), self.app.look.px(90), str(now) if now >= 0 else "", self._set_latency)

    def _set_latency(self, text: str) -> None:
        words = text.strip().lower().removesuffix("frames").strip()
        if words and not (words.isascii() and words.isdigit()):
            raise ValueError(f"expected a number of frames, or nothing, found {text!r}")
        kept = int(words) if words else UNSET
        self.app.session.do(SetSetting(self.subject.id, LATENCY, kept), name="Set the plugin's latency")

    def _note_version(self) -> None:
        version = str(getattr(self.subject.face.about, "version", ""))
        self.app.session.do(SetSetting(self.subject.id, "version", version), name="Note the plugin's version")

    def _window(self) -> None:
        self.plugins.window(self.subject.address, self._opens)

    def _replace(self) -> None:
        self.plugins.browse(self._become, f"In place of {self.subject.face.title}; params are taken over by name.")

    def _become(self, item: str) -> None:
        self.plugins.become(self.subject.id, item)

    def _update(self) -> None:
        """How it is doing now, where that is different from what is shown."""
        face, theme = self.subject.face, self.app.look.theme
        standing = self.playing.standing.get(self.subject.address)
        on = self.app.sound.state.phase == "on"
        lost = self.playing.lost.get(self.subject.address, "")
        now = doing(face, standing, on, self.app.sound.plugins is not None, self.plugins.grouping, lost)
        latency = latency_words(face, standing, self.subject.rate) + self._measured
        open_ = bool(getattr(standing, "window", False))
        ready = getattr(standing, "status", "") == "ready"
        key = (now, latency, open_, ready)
        if key == self._shown:
            return
        self._shown, self._opens = key, not open_
        colour = {"good": theme.good, "warn": theme.warn, "bad": theme.bad, "dim": theme.faint}[now.level]
        dpg.configure_item(self.tag("mark"), color=colour)
        dpg.configure_item(self.tag("doing"), default_value=now.words, color=mix(colour, theme.text, 0.5))
        # While it plays, what is counted must not move what lies below: it is shown over the words.
        dpg.configure_item(self.tag("more"), default_value=now.more, show=bool(now.more) and now.level != "good")
        dpg.set_value(self.tag("tip:words"), now.more)
        dpg.configure_item(self.tag("tip"), show=bool(now.more))
        dpg.configure_item(self.tag("window"), label="Close window" if open_ else "Open window", enabled=ready)
        dpg.bind_item_theme(self.tag("window"), "theme:lit" if open_ else "theme:unlit" if ready else _quiet(self.app))
        dpg.configure_item(self.tag("latency"), default_value=latency)

    # -- a plugin that is not here, or that was not named --------------------------------------------------------------

    def _unnamed(self) -> None:
        self._text("No plugin is chosen yet. Sound passes.")
        button = dpg.add_button(
            label="Choose a plugin…", tag=self.tag("choose"), width=self.width, parent=self.root,
            callback=lambda: self.plugins.browse(self._become),
        )  # fmt: skip
        dpg.bind_item_theme(button, "theme:accent")

    def _missing(self) -> None:
        px, theme, face = self.app.look.px, self.app.look.theme, self.subject.face
        self._text(origin(face), "small")
        name = str(face.settings.get("name") or face.settings.get("uid") or "This plugin")
        head = dpg.add_text(f"{name} is not on this machine", parent=self.root, wrap=self.width)
        dpg.bind_item_font(head, fonts.font("strong"))
        self._text("Its cables, params and state stay in the patch, and sound passes. Where it is installed it plays.")
        dpg.add_spacer(height=px(2), parent=self.root)
        half = (self.width - px(6)) // 2
        with dpg.group(horizontal=True, parent=self.root, horizontal_spacing=px(6)):
            dpg.add_button(
                label="Look for it", tag=self.tag("scan"), width=half, callback=lambda: self.plugins.work.scan()
            )
            dpg.add_button(label="Look in a folder…", tag=self.tag("folder"), width=half, callback=self._look_in)
        found = self.plugins.substitutes(self.subject.id)
        if found:
            self._text("IN ITS PLACE", "small", theme.faint)
        for k, each in enumerate(found[:MOST_SUBSTITUTES]):
            about = each.found.description
            params = len(face.params)
            count = f"{len(each.mapped)} of {params} params" if params else "no params are set"
            button = dpg.add_button(
                label=f"{about.name}   {count}", tag=self.tag(f"substitute:{k}"), width=self.width, parent=self.root,
                callback=partial(self.plugins.substitute, self.subject.id, each),
            )  # fmt: skip
            with dpg.tooltip(button, delay=0.4):
                lost = f"No place for: {', '.join(each.lost)}." if each.lost else "Every param has a place."
                dpg.add_text(f"{about.vendor}, {about.category.replace('|', ', ')}\n{lost}", wrap=px(320))
        dpg.add_button(
            label="Another one…", tag=self.tag("another"), width=self.width, parent=self.root, callback=self._replace
        )

    def _look_in(self) -> None:
        from editor.files.chooser import Chooser

        def take(path: Path) -> None:
            self.plugins.work.add_folder(path)

        Chooser(self.app, "folder", "A folder with plugins", take, folder=Path.home()).open()

    # -- what happens --------------------------------------------------------------------------------------------------

    def turning(self, param: Param, plain: Turning) -> Turning:
        """A param of the plugin as something to turn; ``plain`` where the plugin says nothing of it."""
        own = self.subject.face.own.get(param.name)
        if own is None:
            return plain
        return PluginTurning(self.app.session, self.subject.id, param, own, self.playing, self.app.sound, plain.unset)

    def show(self, subject: Subject) -> None:
        """The node is as this says now."""
        self.subject = subject
        self._shown = None

    def frame(self, now: float, readings: Readings) -> None:
        """Some 30 times a second."""
        if self.subject.face.about is not None:
            self._update()
