"""Other hands on the patch: a MIDI controller and OSC, as this machine's settings say; and the learning of controls.

It has no place in the window. What hands move is heard at once; the document follows, as steps that can be undone: what
is moved without a pause is one.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, ClassVar, cast

from editor.commands import Command
from editor.controls.banner import Banner
from editor.controls.board import Board, Kept, Key, freed, metadata_edit, nodes_of, place_words, source_words
from editor.controls.devices import MidiDevices
from editor.controls.ears import Ears
from editor.controls.target import SessionTarget, SessionTransport
from editor.link import Readings
from editor.model import Changes
from editor.panel import Panel
from editor.turning import fresh_gesture
from graph.edits import SetPatchField
from graph.errors import PatchError
from host.remote.addresses import address_of
from host.remote.buttons import Button, with_button, without_button
from host.remote.control import Remote
from host.remote.learn import Hear, pressed, turned
from host.remote.mappings import Control, usual, with_control
from host.remote.ports import found_among
from host.remote.sources import Source
from host.remote.transport import Word

if TYPE_CHECKING:
    from editor.app import App
    from editor.files.panel import Files

QUIET_S = 0.7
"""What is moved within so long of each other is one step of the history."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a control is waited for."""

    what: Key | Word
    words: str


def hands_of(app: App) -> Hands:
    """The hands of a window."""
    return cast("Hands", app.panels["hands"])


class Hands(Panel):
    """Keeps remote control in step with session and settings."""

    def __init__(self, app: App) -> None:
        super().__init__(app)
        self.devices = MidiDevices()
        self.waiting: Wanted | None = None
        """What is being learned."""
        self._target = SessionTarget(app.sound)
        self._later: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._remote: Remote | None = None
        self._wished: tuple[str, int] = ("", 0)
        self._ears: Ears | None = None
        self._board: Board | None = None
        self._kept: tuple[object, Kept] | None = None
        self._marks: tuple[tuple[object, ...], Mapping[str, Mapping[str, str]]] | None = None
        self._moved_at = float("-inf")
        self._gesture: object = None
        self._banner = Banner(app, self.cancel, self.devices.refresh)
        self.trouble = ""
        """Why OSC is not listened to, in one sentence."""

    # -- what there is -------------------------------------------------------------------------------------------------

    @property
    def board(self) -> Board:
        """The params of the patch."""
        if self._board is None:
            self._board = Board.of(self.session.patch, self.session.kinds)
        return self._board

    @property
    def kept(self) -> Kept:
        """What the patch says of controls."""
        metadata = self.session.patch.metadata
        if self._kept is None or self._kept[0] is not metadata:
            self._kept = metadata, Kept.of(metadata)
        return self._kept[1]

    def key_of(self, node: str, param: str) -> Key | None:
        """Where a param of a node of this level really is; None where it has no address."""
        place = self.board.addresses.find(self.session.address(node), param)
        return place.key if place is not None else None

    def controls_of(self, node: str, param: str) -> list[Control]:
        """What moves a param of a node of this level."""
        if not self.kept.controls:
            return []
        key = self.key_of(node, param)
        return self.kept.moving(self.board).get(key, []) if key is not None else []

    def marks(self) -> Mapping[str, Mapping[str, str]]:
        """The params of this level that controls move, and by which, by node and param."""
        if not self.kept.controls:
            return {}
        about = self.kept, self.board, self.session.path
        if self._marks is None or any(a is not b for a, b in zip(self._marks[0], about, strict=True)):
            self._marks = about, self._found_marks()
        return self._marks[1]

    def _found_marks(self) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        here, prefix = self.session.here.graph, "".join(f"{group}/" for group in self.session.path)
        for key, controls in self.kept.moving(self.board).items():
            words = ", ".join(map(source_words, controls))
            for address, param in {key, self.board.outer.get(key, key)}:
                node = address.removeprefix(prefix)
                if address.startswith(prefix) and node in here:
                    found.setdefault(node, {})[param] = words
        return found

    def osc_address(self, node: str, param: str) -> str:
        """The address of a param of a node of this level."""
        return address_of(self.session.address(node), param)

    @property
    def listening(self) -> bool:
        """Whether the controller that was chosen is here and heard."""
        return self._remote is not None and self._remote.port is not None and self._remote.port.is_open

    # -- learning ------------------------------------------------------------------------------------------------------

    def learn(self, node: str, param: str) -> None:
        """Let the control that is moved next move a param of a node of this level. Raises PatchError."""
        place = self.board.addresses.find(self.session.address(node), param)
        if place is None:
            raise PatchError("no control can move this", place=f"nodes.{node}.{param}", node=node)
        title, label = place_words(nodes_of(self.session.patch), place.node, place.param, param)
        self._wait(Wanted(place.key, f"{title}  ›  {label}"))

    def learn_again(self, key: Key) -> None:
        """The same for a param by its address."""
        place = self.board.addresses.find(*key)
        title, label = place_words(nodes_of(self.session.patch), key[0], place.param if place else None, key[1])
        self._wait(Wanted(key, f"{title}  ›  {label}"))

    def learn_button(self, word: Word) -> None:
        """Let the control that is pressed next be for the transport."""
        self._wait(Wanted(word, f"the transport: {word}"))

    def _wait(self, wanted: Wanted) -> None:
        self.cancel()
        self.waiting = wanted
        self.devices.refresh()

    def _hearing(self) -> Hear:
        """What finds out that a control is meant."""
        assert self.waiting is not None
        if isinstance(self.waiting.what, str):
            return pressed
        place = self.board.addresses.find(*self.waiting.what)
        return turned(place.node, place.param) if place is not None else lambda event: None

    def _heard(self, device: str, source: Source) -> None:
        """A control was moved: keep it, and the controller, where none was in use."""
        wanted = self.waiting
        if wanted is None:
            return
        self.cancel()
        if device:
            self._files.choose_settings(controller=device)
        metadata = self.session.patch.metadata
        if isinstance(wanted.what, str):
            button = Button(source, wanted.what)
            self.edit(with_button(metadata, button), f"Learn {source} for {wanted.what}")
            words = source_words(button)
        else:
            control = usual(source, *wanted.what)
            self.edit(with_control(freed(metadata, self.board, wanted.what), control), f"Learn {source}")
            words = source_words(control)
        self.app.notices.say("good", f"{words} is for {wanted.words}.")

    def cancel(self) -> bool:
        """Wait for no control any more; whether one was waited for."""
        was, self.waiting = self.waiting, None
        if self._remote is not None:
            self._remote.surface.forget()
        self._deafen()
        return was is not None

    def _deafen(self) -> None:
        if self._ears is not None:
            self._ears.close()
            self._ears = None

    def _listen(self, now: float) -> None:
        """Hear the controller in use, where a control is waited for; all devices, where none is."""
        if self.waiting is None:
            return
        if self._remote is not None and self.listening:
            self._deafen()
            if not self._remote.surface.learning:
                later = self._later
                self._remote.surface.learn(self._hearing(), lambda found: later.put(partial(self._heard, "", found)))
            return
        if self._ears is None or (not self.devices.looking and self._ears.names != self.devices.names):
            self._deafen()
            self._ears = Ears(self.devices.names, self._hearing)
        found = self._ears.step(now)
        if found is not None:
            self._heard(*found)

    # -- what is kept --------------------------------------------------------------------------------------------------

    def edit(self, metadata: dict[str, object], name: str) -> None:
        """Let the patch keep other controls, as a step of the history."""
        if metadata != self.session.patch.metadata:
            self.session.do_at_root(metadata_edit(metadata), name=name)
            self.session.end_gesture()

    def free(self, key: Key) -> None:
        """Let no control move a param."""
        self.edit(freed(self.session.patch.metadata, self.board, key), f"Remove the control of {key[0]}.{key[1]}")

    def free_here(self, node: str, param: str) -> None:
        """The same for a node of this level."""
        key = self.key_of(node, param)
        if key is not None:
            self.free(key)

    def free_button(self, word: Word) -> None:
        """Let no control be for a part of the transport."""
        self.edit(without_button(self.session.patch.metadata, word), f"Remove the control of {word}")

    # -- following -----------------------------------------------------------------------------------------------------

    @property
    def _files(self) -> Files:
        return cast("Files", self.app.panels["files"])

    def sync(self, changes: Changes) -> None:
        if changes.everything:
            self.cancel()
        if changes.structure:
            self._board = None
        if self.waiting is not None and not isinstance(self.waiting.what, str):
            if self.board.addresses.find(*self.waiting.what) is None:
                self.cancel()
        if changes.look:
            self._banner.remake()
        if self._remote is None:
            return
        if changes.words or changes.everything:
            self._remote.use(self.session.patch.metadata)
        if changes.history or changes.structure:
            self._tell(changes)

    def _tell(self, changes: Changes | None = None) -> None:
        """Let remote control know what params stand at."""
        here = self.session.here
        if changes is not None and changes.params and not changes.structure:
            for node, param in changes.params:
                place = self.board.addresses.find(self.session.address(node), param)
                if place is not None and node in here.graph:
                    value = here.node(node).params.get(param, place.param.default)
                    self._target.note(place.key, float(value))
            return
        try:
            values = self.board.values(self.session.patch)
        except PatchError:
            values = {}
        self._target.follow(self.board, values)

    def frame(self, now: float, readings: Readings) -> None:
        self._follow_settings()
        while True:
            try:
                job = self._later.get_nowait()
            except queue.Empty:
                break
            job()
        self._take()
        self._listen(monotonic())
        wanted = self.waiting
        self._banner.show(wanted.words if wanted else "", self.devices, self.listening)
        if wanted is not None:
            self.app.touch()

    def _take(self) -> None:
        """Let the document follow what hands have moved."""
        moved = self._target.taken()
        if not moved:
            return
        now = monotonic()
        if now - self._moved_at > QUIET_S:
            self._gesture = fresh_gesture("hands")
        self._moved_at = now
        for key, value in moved.items():
            place = self.board.addresses.find(*key)
            if place is None:
                continue
            edit, name = self.board.edit(place, value), f"Turn {key[0]}.{key[1]} by a controller"
            with suppress(PatchError):  # it may have gone since it was moved
                if self.session.path:
                    self.session.do_at_root(edit, name=name, gesture=self._gesture)
                else:
                    self.session.do(edit, name=name, gesture=self._gesture)
        self.app.touch()

    def _loop(self, span: tuple[float, float] | None) -> None:
        transport = self.session.patch.transport
        self.session.do_at_root(SetPatchField("transport", replace(transport, loop=span)), name="Loop")

    # -- settings ------------------------------------------------------------------------------------------------------

    def _follow_settings(self) -> None:
        settings = self._files.settings
        wished = settings.controller, settings.osc_port
        if wished == self._wished:
            return
        self._wished = wished
        self._end()
        self.trouble = ""
        controller, port = wished
        if not controller and not port:
            return
        notice = partial(self.app.notices.say, "info")
        transport = SessionTransport(self.session, self.app.sound, self._later.put, self._loop)

        def begin(osc: tuple[str, int] | None) -> Remote:
            return Remote(self._target, osc=osc, midi=controller, notice=notice, transport=transport)

        try:
            self._remote = begin(("127.0.0.1", port) if port else None)
        except OSError as error:
            self.trouble = f"Port {port} cannot be listened at: {error.strerror or error}."
            self.app.notices.say("warning", f"OSC: {self.trouble}")
            if not controller:
                return
            self._remote = begin(None)
        self._tell()
        self._remote.use(self.session.patch.metadata)
        self._remote.start()

    def controller_words(self, name: str) -> str:
        """How the controller that was chosen is doing, in a few words."""
        if not name:
            return "No controller is in use."
        if self.listening:
            return "It is heard."
        if self.devices.why:
            return self.devices.why
        there = found_among(name, list(self.devices.names))
        return "It is being opened." if there else "It is not here; it is heard when it is back."

    def _end(self) -> None:
        if self._remote is not None:
            self._remote.stop()
            self._remote = None

    def close(self) -> None:
        self.cancel()
        self._end()

    commands: ClassVar[tuple[Command, ...]] = (
        Command("hands.show", "Controls: MIDI and OSC", lambda app: app.show("controls"), (), "Sound", 6),
    )
