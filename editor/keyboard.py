"""The keyboard: a key goes to the field that is typed in or is about to be, to a dialog, or is a shortcut.

Dear ImGui lets text reach a field only in the frames after the one in which the field has got the keys, and keeps the
order of what happens between two frames by handing out no more than one letter a frame. So a key is a field's if the
field had the keys when the frame began; and what comes before, while a field is awaited, is kept for it here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg

from editor import keys
from editor.ahead import Ahead
from editor.fonts import Role

if TYPE_CHECKING:
    from editor.app import App

Tag = int | str
PATIENCE = 60
"""So many frames a field is awaited that does not come: it may be in a window that never opens."""


class Keyboard:
    """Hears the keys of a frame, and does what they say."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.field = 0
        """The field whose keys those of this frame are; 0: they are nobody's."""
        self._pressed: list[int] = []
        self._held = frozenset[str]()
        """The modifiers that were held in the frame before."""
        self._had = 0
        """The field that had the keys after the frame before, and was there in this one."""
        self._empty = True
        """Whether that field was empty then."""
        self._ahead: Ahead | None = None
        self._put = 0, ""
        """A field that is made to lose the keys, and what it shall hold."""
        self._awaited = 0
        """How many frames the field of ``_ahead`` is still awaited."""
        self._ended: Callable[[bool], object] | None = None
        self._astray: dict[int, object] = {}
        """Fields that got the keys while another one was awaited, and what they held: Tab goes to one, whatever else it
        does, and a field has the keys until the next one is ready.
        """
        self._marked = False
        """Whether all of a field is marked, what was typed ahead with it."""

    def start(self) -> None:
        """Begin to listen. Needs a context."""
        with dpg.handler_registry():
            dpg.add_key_press_handler(callback=lambda _, key: self._pressed.append(int(key)))

    @property
    def typing(self) -> bool:
        """Whether the keys that were pressed last are those of a field."""
        return bool(self.field)

    def is_in(self, field: Tag) -> bool:
        """Whether they are those of this one."""
        return dpg.does_item_exist(field) and self.field == keys.item(field)

    def give(self, field: Tag, ended: Callable[[bool], object] | None = None, role: Role = "body") -> None:
        """Let it be typed into a field, from now on: what comes before the field is ready is kept for it.

        ``ended``: what Enter (True) or Escape (False) does that comes before that, where nobody else hears them;
        ``role``: the field's font.
        """
        self._leave()
        dpg.focus_item(field)
        self._ahead = Ahead(self.app, keys.item(field), role)
        self._awaited, self._ended, self._marked = PATIENCE, ended, False
        self._watch(keys.field())

    def put(self, field: Tag, text: str) -> None:
        """Have a field hold this, and nothing else."""
        if self._ahead is not None and self._ahead.field == keys.item(field):
            self._ahead.text = ""
            self._ahead.draw()
        dpg.set_value(field, text)
        if keys.field() == keys.item(field):  # which keeps what it holds as long as it has the keys
            dpg.configure_item(field, enabled=False)
            self._put = keys.item(field), text

    def text(self, field: Tag) -> str:
        """What a field holds, and what was typed ahead of it."""
        put, text = self._put
        return text if put and put == keys.item(field) else self.whole(field, str(dpg.get_value(field)))

    def whole(self, field: Tag, value: str) -> str:
        """A text that is in a field, and what was typed ahead of it."""
        ahead = self._ahead
        if ahead is None or not dpg.does_item_exist(field) or ahead.field != keys.item(field):
            return value
        return value if self._marked else ahead.text + value

    def astray(self, field: Tag) -> bool:
        """Whether what is typed into a field just now was meant for another one."""
        return keys.item(field) in self._astray

    def _put_in(self, has: int) -> None:
        """Give a field what it shall hold and the keys again, when it has them no more."""
        field, text = self._put
        if field and has != field:
            self._put = 0, ""
            if dpg.does_item_exist(field):
                dpg.configure_item(field, enabled=True)
                dpg.set_value(field, text)
                self.give(field)

    # -- once a frame --------------------------------------------------------------------------------------------------

    def look(self) -> None:
        """See which field had the keys in the frame that was drawn just now; call before anything is done about it."""
        self._had = keys.item(self._had)

    def step(self) -> None:
        """Do what the keys say that were pressed since it was called last; call after a frame was drawn."""
        pressed, self._pressed = self._pressed, []
        now = keys.held()
        just, self._held = now | self._held, now  # a quick hand lets go of Ctrl in the frame that sees its key go down
        has = keys.field()
        had = self._had
        self._follow(had, has)
        self._bring_back(has)
        self._put_in(has)
        self.field = self._ahead.field if self._ahead and self._awaited else had or has
        if pressed:
            self.app.touch()
        for key in pressed:
            name = keys.NAMES.get(key)
            if name:
                self._do(name, just, now, had)
        self._had = has
        self._empty = not has or not dpg.does_item_exist(has) or not dpg.get_value(has)

    def _follow(self, had: int, has: int) -> None:
        """See what has become of the field that was given the keys last."""
        if self._ahead is None:
            return
        if not self._ahead.there or (self._awaited and had == self._ahead.field):
            self._awaited = 0
        elif self._awaited:
            self._awaited -= 1
            self._watch(has)
        if not self._awaited and has != self._ahead.field:
            self._leave()
        else:
            self._ahead.draw()

    def _watch(self, field: int) -> None:
        if field and self._ahead is not None and field != self._ahead.field:
            self._astray.setdefault(field, dpg.get_value(field))

    def _bring_back(self, has: int) -> None:
        """Fields that were typed into by mistake get what they held."""
        for field in [field for field in self._astray if field != has or not self._awaited]:
            value = self._astray.pop(field)
            if field != has and dpg.does_item_exist(field):
                dpg.set_value(field, value)

    def _leave(self) -> None:
        if self._ahead is not None:
            self._ahead.end()
        self._ahead, self._awaited, self._ended = None, 0, None

    def _do(self, name: str, just: frozenset[str], now: frozenset[str], had: int) -> None:
        if self._ahead is not None and self._ahead.there and self._early(self._ahead, name, now, had):
            return
        app = self.app
        if app.dialog is not None:
            with app.guarded(app.dialog.title):
                app.dialog.key(keys.combined(just, name))
            return
        # Where that makes no shortcut, the key came after: Ctrl+G and F2 at once.
        ways = (keys.combined(modifiers, name) for modifiers in (just, now))
        command = next(filter(None, map(app.commands.by_keys, ways)), None)
        if command and (not self.typing or command.while_typing):
            app.command(command.id)
            app.follow()

    def _early(self, ahead: Ahead, name: str, held: frozenset[str], had: int) -> bool:
        """Whether a key concerns what is typed ahead; then that is done."""
        letter, back = keys.letter(name, held), name == "backspace" and bool(ahead.text)
        marked, self._marked = self._marked, keys.combined(held, name) == "ctrl+a"
        if marked and (letter or back):
            ahead.cut(0)
        if had == ahead.field:  # what is ahead of it is out of its reach
            if back and self._empty:
                ahead.cut(-1)
            return False
        if not self._awaited:
            return False
        if letter:
            ahead.take(letter)
        elif back:
            ahead.cut(-1)
        elif name == "enter" and ahead.on_enter:
            ahead.answer()
        elif name in ("enter", "escape") and self._ended is not None:
            with self.app.guarded("ending what is typed"):
                self._ended(name == "enter")
        else:
            return False
        return True
