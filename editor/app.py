"""The window: it brings session, sound and panels together, and turns once for every frame."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from contextlib import contextmanager
from time import monotonic, perf_counter, sleep
from typing import TYPE_CHECKING, Protocol

import dearpygui.dearpygui as dpg

from editor import fonts, placing
from editor.commands import Command, Commands, arity
from editor.keyboard import Keyboard
from editor.layout import Arrangement, Rect, Slot, Splitter, arranged
from editor.link import Player, Sound
from editor.menus import MenuBar
from editor.model import NO_CHANGES, Changes, Session
from editor.notices import Notices, Toasts
from editor.panel import Panel
from editor.panels import PANELS, Entry
from editor.pointer import Pointer
from editor.probe import Probe
from editor.shortcuts import COMMANDS
from editor.splitters import SplitterGrip, draw_splitter, put
from editor.styling import style
from editor.theme import Look
from graph.errors import PatchError

if TYPE_CHECKING:
    from editor.macros.assigning import Assigning

TOUCHED_S, LIVELY_S, IDLE_S = 1 / 60, 1 / 30, 1 / 12
"""The time from frame to frame: while something is done, while something sounds, and otherwise."""
AFTERGLOW_S = 0.6
"""How long after something was done frames come fast."""

log = logging.getLogger("patchwright.editor")


class Dialog(Protocol):
    """What has the keyboard while it is open."""

    title: str

    def key(self, keys: str) -> None:
        """A key combination was pressed."""
        ...


class App:
    """The editor's window with all that is in it. ``make_player`` starts an engine; None: there is no sound."""

    def __init__(
        self,
        session: Session,
        make_player: Callable[[], Player] | None = None,
        *,
        look: Look | None = None,
        panels: tuple[Entry, ...] = PANELS,
    ) -> None:
        self.session = session
        self.look = look or Look()
        self.notices = Notices()
        self.sound = Sound(make_player, self.notices.say)
        self.pointer = Pointer()
        self.keyboard = Keyboard(self)
        self.commands = Commands(COMMANDS)
        self._kept = placing.load()
        self.arrangement = self._kept.arrangement
        self.slots: dict[Slot, Rect] = {}
        self.panels: dict[str, Panel] = {}
        self.entries = panels
        self.work_s = 0.0
        """How long our own work of the last frame took, drawing aside."""
        self.frames = 0
        self.hint = ""
        """A few words about what the mouse is over, for the status bar."""
        self.confirm_quit: Callable[[], bool] | None = None
        """Asked when the window is to close; False keeps it open. Whoever guards unsaved work sets it."""
        self.settle: Callable[[Callable[[], object], bool], object] = lambda then, ask=True: then()
        """Does something once the patch has what was done in plugins' windows that are open, if ``ask``; in any case
        after what waits for that already. Whoever follows the plugins sets it.
        """
        self.dialog: Dialog | None = None
        """What lies over everything and has the keyboard, while there is such a thing."""
        self.assigning: Assigning | None = None
        """The macro that is being assigned: whatever knob is pressed meanwhile is moved by it."""
        self.first_start = False
        """Whether this is the first time: there is a tour then."""
        self._touched = self._lively = 0.0
        self._laid_out: object = None
        self._fronts: dict[Slot, str] = {}
        self._running = False
        self._due: dict[str, Changes] = {}
        """What panels have not followed yet."""

    # -- the life of the window ----------------------------------------------------------------------------------------

    def run(self) -> None:
        """Open the window, and return when it is closed."""
        self.start()
        try:
            while self._running:
                self.turn()
        finally:
            self.close()

    def start(self) -> None:
        """Open the window."""
        dpg.create_context()
        dpg.configure_app(manual_callback_management=True, init_file="")
        fonts.load(self.look.scale)
        width, height = self._kept.size or placing.FIRST
        dpg.create_viewport(
            title="Patchwright",
            width=width,
            height=height,
            x_pos=0,
            y_pos=0,
            min_width=placing.LEAST[0],
            min_height=placing.LEAST[1],
            disable_close=True,
        )
        dpg.set_exit_callback(lambda: self.quit(ask=True))
        dpg.set_viewport_vsync(sys.platform != "linux")
        dpg.setup_dearpygui()
        dpg.show_viewport()
        if self._kept.size is None:
            dpg.maximize_viewport()
        style(self.look)
        self.keyboard.start()
        self.pointer.start()
        dpg.add_window(
            tag="window",
            menubar=True,
            no_title_bar=True,
            no_move=True,
            no_resize=True,
            no_scrollbar=True,
            no_scroll_with_mouse=True,
            no_bring_to_front_on_focus=True,
        )
        dpg.set_primary_window("window", True)
        dpg.configure_item("window", no_scrollbar=True, no_scroll_with_mouse=True)
        dpg.bind_item_theme("window", "theme:window")
        dpg.render_dearpygui_frame()  # texts have no widths before the first frame
        self.probe = Probe.wanted()
        self.toasts = Toasts(self)
        for entry in self.entries:
            with self.guarded(f"opening {entry.title}"):
                self.panels[entry.id] = panel = entry.load()(self)
                for command in panel.commands:
                    self.commands.add(command)
        self.menus = MenuBar(self)
        self.build()
        self._running = True

    def build(self) -> None:
        """Make every part of the window, in place of what there was: at the start, and when the look changes."""
        for tag in ("slots", "menus"):
            if dpg.does_item_exist(tag):
                dpg.delete_item(tag)
        self._laid_out = None
        self.menus.build()
        dpg.add_group(tag="slots", parent="window")
        for slot in ("top", "left", "centre", "right", "bottom", "status"):
            self._build_slot(slot)
        sides: tuple[Splitter, ...] = ("left", "right", "bottom")
        for splitter in sides:
            tag = f"splitter:{splitter}"
            dpg.add_drawlist(8, 8, tag=tag, parent="slots")
            self.pointer.claim(tag, SplitterGrip(self, splitter))
        self._lay_out()

    def _build_slot(self, slot: Slot) -> None:
        entries = [entry for entry in self.entries if entry.slot == slot and entry.id in self.panels]
        tag = f"slot:{slot}"
        bare = slot in ("top", "centre", "status")
        dpg.add_child_window(tag=tag, parent="slots", border=False, no_scrollbar=True, no_scroll_with_mouse=True)
        dpg.bind_item_theme(tag, {"centre": "theme:desk", "status": "theme:foot"}.get(slot, "theme:strip"))
        own = [entry.id for entry in entries]
        if not bare:
            self._fronts.setdefault(slot, own[0] if own else "")
            with dpg.group(horizontal=True, parent=tag, tag=f"tabs:{slot}"):
                for entry in entries:
                    dpg.add_button(label=entry.title, tag=f"tab:{entry.id}", user_data=entry.id, callback=self._chosen)
        for entry in entries:
            inside: str = tag
            if not bare:
                inside = f"panel:{entry.id}"
                with dpg.child_window(tag=inside, parent=tag, border=False, always_use_window_padding=True):
                    pass
                dpg.bind_item_theme(inside, "theme:panel")
            with self.guarded(f"building {entry.title}"):
                self.panels[entry.id].build(inside)
        self._show_front(slot)

    def close(self) -> None:
        """Close the window and end the engine."""
        self._running = False
        for id, panel in self.panels.items():
            with self.guarded(f"closing {id}"):
                panel.close()
        self.sound.close()
        with self.guarded("keeping the window's size"):
            size = dpg.get_viewport_client_width(), dpg.get_viewport_client_height()
            placing.save(placing.Placing(size, self.arrangement))
        if self.probe:
            self.probe.close()
        dpg.destroy_context()
        fonts.forget()

    def quit(self, ask: bool = False) -> None:
        """Close the window after this frame; with ``ask``, only if whoever guards unsaved work agrees."""
        if not ask or self.confirm_quit is None or self.confirm_quit():
            self._running = False

    # -- a frame -------------------------------------------------------------------------------------------------------

    def turn(self) -> None:
        """One frame: draw, hear what was done, do it, show it, wait for the next."""
        began = monotonic()
        dpg.render_dearpygui_frame()
        at = perf_counter()
        self.frames += 1
        if not dpg.is_dearpygui_running():
            self.quit(ask=True)
        self.keyboard.look()
        self._run_callbacks()
        self.follow()  # what the mouse and the keys do is about what is there by now
        with self.guarded("the mouse"):
            if self.pointer.step():
                self.touch()
        self.follow()
        with self.guarded("the keyboard"):
            self.keyboard.step()
        now = monotonic()
        self.sync()
        with self.guarded("listening to the engine"):
            self._hear(now)
        self._lay_out()
        with self.guarded("showing messages"):
            self.toasts.step(now)
        if self.probe and self.probe.step(self):
            self.touch()
        self.work_s = perf_counter() - at
        pause = TOUCHED_S if now - self._touched < AFTERGLOW_S else LIVELY_S if self.sound.state.rolling else IDLE_S
        sleep(max(began + pause - monotonic(), 0.0))

    def touch(self) -> None:
        """Something is being done: frames come fast for a while."""
        self._touched = monotonic()

    def sync(self) -> None:
        """Tell engine and panels what the session has become."""
        with self.guarded("telling the engine"):
            self.sound.follow(self.session, self.pointer.busy)
        self.follow()
        for id in [id for id in self._due if self.seen(id)]:  # it was not when it had something to follow
            self._catch_up(id)

    def follow(self) -> None:
        """Let the panels follow what the session has become."""
        changes = self.session.changes()
        if not changes:
            return
        self.touch()
        with self.guarded("keeping the menus"):
            self.menus.sync()
        for id in self.panels:
            self._due[id] = self._due.get(id, NO_CHANGES) | changes
            if self.seen(id):
                self._catch_up(id)

    def _catch_up(self, id: str) -> None:
        """Let a panel follow what has changed since it did last. One that is not seen waits until it is."""
        due = self._due.pop(id, NO_CHANGES)
        if due:
            with self.guarded(f"{id} following a change"):
                self.panels[id].sync(due)

    def _hear(self, now: float) -> None:
        for level, text in self.sound.fresh_notices():
            self.notices.say(level, text)
        if now - self._lively < LIVELY_S - 0.004:
            return
        self._lively = now
        readings = self.sound.readings()
        for id, panel in self.panels.items():
            with self.guarded(f"{id} showing readings"):
                if self.seen(id):
                    panel.frame(now, readings)

    def seen(self, panel: str) -> bool:
        """Whether a panel is in front."""
        entry = next(e for e in self.entries if e.id == panel)
        return entry.slot == "none" or (entry.slot in self.slots and self._fronts.get(entry.slot, panel) == panel)

    def show(self, panel: str) -> None:
        """Bring a panel to the front."""
        slot = next(e.slot for e in self.entries if e.id == panel)
        if slot in ("left", "right", "bottom") and slot not in self.slots:
            self.arrange(self.arrangement.toggled(slot))
        if slot in self._fronts:
            self._fronts[slot] = panel
            self._show_front(slot)
            self._catch_up(panel)

    def _chosen(self, sender: int, value: object, panel: str) -> None:
        self.show(panel)

    def _show_front(self, slot: Slot) -> None:
        for entry in self.entries:
            if entry.slot == slot and dpg.does_item_exist(f"tab:{entry.id}"):
                front = self._fronts[slot] == entry.id
                dpg.configure_item(f"panel:{entry.id}", show=front)
                dpg.bind_item_theme(f"tab:{entry.id}", "theme:tab-on" if front else "theme:tab")
                dpg.bind_item_font(f"tab:{entry.id}", fonts.font("medium"))

    def _run_callbacks(self) -> None:
        for job in dpg.get_callback_queue() or ():
            self.answer(*job)

    def answer(self, callback: Callable[..., object] | None, sender: int | str, value: object, own: object) -> None:
        """Run the callback of an item with as much as it takes of item, value and user data."""
        self.touch()
        if callback is not None and not self.keyboard.astray(sender):
            text = self.keyboard.whole(sender, value) if isinstance(value, str) else value
            with self.guarded("doing what was asked"):
                callback(*(sender, text, own)[: arity(callback)])

    def command(self, id: str) -> None:
        """Do what a command says, if it can be done now."""
        command: Command = self.commands[id]

        def do() -> None:
            with self.guarded(command.title):
                if command.enabled(self):
                    command.action(self)
            self.touch()

        with self.guarded(command.title):
            self.settle(do, command.settles)

    @contextmanager
    def guarded(self, doing: str):
        """What goes wrong inside is said to the user and written down, and the window stays."""
        try:
            yield
        except PatchError as error:
            where = f"{error.place}: " if error.place else ""
            self.notices.say("warning", f"{where}{error.message}")
        except Exception as error:
            log.exception("while %s", doing)
            self.notices.say("error", f"Something went wrong while {doing}: {type(error).__name__}: {error}")

    # -- how it looks --------------------------------------------------------------------------------------------------

    def relook(self, look: Look) -> None:
        """Draw everything in another theme or size."""
        self.look = look
        fonts.load(look.scale)
        style(look)
        dpg.render_dearpygui_frame()
        self.build()
        self.session.looks_different()

    def arrange(self, arrangement: Arrangement) -> None:
        """Give the parts of the window other sizes."""
        self.arrangement = arrangement
        self._lay_out()

    def _lay_out(self) -> None:
        size = dpg.get_viewport_client_width(), dpg.get_viewport_client_height()
        key = (size, self.arrangement, self.look.scale)
        if key == self._laid_out:
            return
        self._laid_out = key
        self.slots, splitters = arranged(*size, self.arrangement, self.look.scale)
        for slot in ("top", "left", "centre", "right", "bottom", "status"):
            put(f"slot:{slot}", self.slots.get(slot))
        for splitter in ("left", "right", "bottom"):
            put(f"splitter:{splitter}", splitters.get(splitter))
            draw_splitter(f"splitter:{splitter}", splitters.get(splitter), self.look)
        self.touch()
