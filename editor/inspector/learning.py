"""What a node learns from the file that its settings name: learned aside, kept in the patch as one step of the history.

Any kind that says it learns (``learned`` of its declaration) has this part on its page.
"""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg

from editor import fonts
from editor.aside import Aside
from editor.inspector.subject import Subject
from editor.model import Session
from graph.edits import SetState, inside
from graph.errors import PatchError
from host.learning import learns

if TYPE_CHECKING:
    from editor.app import App

MODULE = "editor.inspector.learn_child"
EXPLAINED = "Keeps in the patch what is learned from the file, so that it can do without the file."


def can_learn(subject: Subject) -> bool:
    """Whether a node's kind says that it learns."""
    kind = subject.session.kinds.get(subject.face.kind)
    return kind is not None and learns(kind)


class Lesson:
    """A node that learns. Knows no window. The document is another one while it has another folder or file."""

    def __init__(self, session: Session, node: str) -> None:
        """``node`` is one of the level that is looked at. Raises PatchError where it cannot begin."""
        self.session, self.path, self.node = session, session.path, node
        self.title = session.face(node).title
        self.address = session.address(node)
        self._patch = session.patch
        try:
            self.work = Aside(MODULE, session.patch, node=self.address)
        except OSError as error:
            raise PatchError(f"nothing can be learned now: {error.strerror or error}", node=node) from None

    @property
    def over(self) -> bool:
        """Whether it has come to an end."""
        return self.work.over

    @property
    def error(self) -> str:
        """Why nothing was learned."""
        return self.work.error

    def step(self) -> bool:
        """Take in what was told; whether it has just ended. What was learned is then in the patch."""
        if self.work.over:
            return False
        self.work.step()
        if self.work.over and self.work.answer is not None:
            self._keep(b64decode(self.work.answer["state"]))
        return self.work.over

    def _keep(self, state: bytes) -> None:
        if self.session.patch is not self._patch:
            self.work.error = "another patch is open by now"
            return
        try:
            keep(self.session, self.path, self.node, state, f"{self.title} learns")
        except PatchError:
            self.work.error = f"{self.title} is not there any more"

    def cancel(self) -> None:
        """Learn nothing."""
        self.work.stop()


def keep(session: Session, path: tuple[str, ...], node: str, state: bytes | None, name: str) -> None:
    """Let the patch keep what a node has learned, or keep it no more. Raises PatchError where the node is gone."""
    session.do_at_root(inside(path, SetState(node, state)), name=name)
    session.end_gesture()


def size_words(count: int) -> str:
    """So many bytes, as people say it."""
    return f"{count} bytes" if count < 1000 else f"{count / 1000:.1f} kB"


class Lessons:
    """The lessons that go on, and how the last ones went wrong, by the engine's address of their nodes."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.going: dict[str, Lesson] = {}
        self.failed: dict[str, str] = {}

    def begin(self, node: str) -> None:
        """Let a node of this level learn."""
        address = self.app.session.address(node)
        if address not in self.going:
            self.failed.pop(address, None)
            self.going[address] = Lesson(self.app.session, node)

    def cancel(self, address: str) -> None:
        """Let a node learn nothing after all."""
        lesson = self.going.pop(address, None)
        if lesson is not None:
            lesson.cancel()

    def step(self) -> None:
        """Take in what was told of all of them."""
        for address, lesson in list(self.going.items()):
            if not lesson.step():
                continue
            del self.going[address]
            self.app.touch()
            if lesson.error:
                self.failed[address] = lesson.error
                self.app.notices.say("warning", f"{lesson.title} has learned nothing: {lesson.error}")
            else:
                self.app.notices.say("good", f"{lesson.title} has learned; the patch keeps it.")

    def close(self) -> None:
        """End all of them."""
        for address in list(self.going):
            self.cancel(address)

    def forget_failures(self) -> None:
        """Another patch is open: nothing is known of it."""
        self.failed.clear()


class LearnSection:
    """Made for one node, brought up to date by ``show`` and ``frame``."""

    def __init__(self, app: App, lessons: Lessons, subject: Subject, parent: int | str, width: int) -> None:
        self.app, self.lessons, self.subject, self.width = app, lessons, subject, width
        px, theme = app.look.px, app.look.theme
        self._shown: object = None
        dpg.add_spacer(height=px(4), parent=parent)
        with dpg.group(horizontal=True, parent=parent, horizontal_spacing=px(6)):
            dpg.add_button(label="Learn", tag=self.tag("learn"), width=px(110), callback=self._press)
            dpg.bind_item_font(self.tag("learn"), fonts.font("medium"))
            dpg.add_progress_bar(tag=self.tag("progress"), width=width - px(116), height=px(27), show=False)
            dpg.add_button(label="Forget", tag=self.tag("forget"), callback=self._forget, show=False)
            dpg.bind_item_theme(self.tag("forget"), "theme:flat")
        with dpg.tooltip(self.tag("forget"), delay=0.5):
            dpg.add_text("Keep no more in the patch what was learned.", wrap=px(280))
        dpg.add_text("", tag=self.tag("words"), wrap=width, color=theme.dim, parent=parent)
        dpg.bind_item_font(self.tag("words"), fonts.font("small"))
        self._update()

    def tag(self, name: str) -> str:
        """The tag of one of its items."""
        return f"inspector:{self.subject.id}:learning:{name}"

    def _press(self) -> None:
        if self.subject.address in self.lessons.going:
            self.lessons.cancel(self.subject.address)
        else:
            self.lessons.begin(self.subject.id)
        self._update()

    def _forget(self) -> None:
        session = self.app.session
        keep(session, session.path, self.subject.id, None, f"{self.subject.face.title} forgets")

    def _update(self) -> None:
        session, address, theme = self.app.session, self.subject.address, self.app.look.theme
        if self.subject.id not in session.here.graph:
            return
        state = session.here.node(self.subject.id).state
        lesson = self.lessons.going.get(address)
        failed = self.lessons.failed.get(address, "")
        share = lesson.work.share if lesson else None
        doing = lesson.work.doing if lesson else ""
        key = state is not None and len(state), lesson is not None, share, doing, failed
        if key == self._shown:
            return
        self._shown = key
        dpg.configure_item(self.tag("learn"), label="Cancel" if lesson else "Learn again" if state else "Learn")
        dpg.configure_item(self.tag("progress"), show=lesson is not None, overlay=f"{doing or 'Starting'}…")
        dpg.set_value(self.tag("progress"), share or 0.0)
        dpg.configure_item(self.tag("forget"), show=lesson is None and state is not None)
        words, colour = EXPLAINED, theme.dim
        if state is not None:
            words = f"The patch keeps what was learned, {size_words(len(state))}. It can do without the file."
        if failed:
            words, colour = f"Nothing was learned: {failed}.", theme.warn
        dpg.configure_item(self.tag("words"), default_value=words, color=colour)

    def show(self, subject: Subject) -> None:
        """The node is as this says now."""
        self.subject = subject
        self._update()

    def frame(self) -> None:
        """Some 30 times a second."""
        self._update()
