"""How far a cable moves a param, as a line to be dragged: the share, and both ends of the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from editor import fonts
from editor.dials import Control
from editor.draw import fitted
from editor.macros.depth import percent_words
from editor.pointer import Touch
from editor.theme import alpha
from editor.turning import Amount

if TYPE_CHECKING:
    from editor.app import App

HEIGHT = 42
"""At scale 1."""


class Share(Control):
    """A track as wide as there is room, its middle being nothing; the name, the share and both ends in it.

    A drag sets how far; a click on the number lets it be typed, as percent or as the end that is gone to.
    """

    def __init__(
        self, app: App, parent: int | str, turning: Amount, tag: str, size: tuple[int, int], label: str = ""
    ) -> None:
        super().__init__(app, parent, turning, tag, size, label)
        self._amount = turning
        self.show()

    @property
    def beside(self) -> object:
        return self._amount.ends

    def draw(self) -> None:
        theme, px, pen = self.app.look.theme, self.app.look.px, self.pen
        colour, active = theme.pin("control"), self._over or self._pressed is not None
        pen.clear()
        pen.box((0, 0), (self.width, self.height - px(2)), theme.lifted if active else theme.body, radius=px(4))
        inset, low = px(8), px(22)
        pen.line((inset, low), (self.width - inset, low), alpha(theme.text, 0.12), px(2))
        middle, end = (inset + (self.width - 2 * inset) * place for place in (0.5, self.turning.place))
        pen.line((middle, low), (end, low), colour, px(3))
        pen.line((middle, low - px(3)), (middle, low + px(2)), alpha(theme.text, 0.4))
        pen.dot((end, low), px(3), colour)
        y, size = px(1.5), px(12.5)
        number = percent_words(self.turning.value / 100.0)
        room = self.width - fonts.width(number, "medium", size) - px(22)
        pen.words((px(8), y), fitted(self.label, room, "small", size), theme.text, "small", size)
        pen.words((self.width - px(8), y), number, theme.text, "medium", size, "right")
        words = fitted(self._amount.ends, self.width - px(16), "small", px(11.5))
        pen.words((px(8), px(25)), words, theme.dim, "small", px(11.5))
        if self.moved.feedback:
            self.show_moved(pen, (self.width - px(14), px(32)))

    def typed_at(self, touch: Touch) -> bool:
        return touch.at[0] > self.width * 0.75

    def typing_place(self) -> tuple[float, float, float]:
        return self.width * 0.5, -float(self.app.look.px(2)), self.width * 0.5
