"""Turning a param: what a drag, a typed text or a reset means to it. Knows no window.

One object stands for one param of one node, or of several that are turned together.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace

from editor.faces import from_unit, param_label, parse_value, spoken, to_unit, value_text
from editor.macros.depth import cable_words, typed_amount
from editor.model import Session
from graph.document import Cable, CableKey
from graph.edits import SetCable, SetParam
from graph.spec import Param

FINE = 0.1
"""How far a fine drag goes, of what it would go otherwise."""

_gestures = itertools.count()


def fresh_gesture(*what: object) -> object:
    """A name for a gesture that no other one has."""
    return ("gesture", next(_gestures), *what)


class Turning:
    """A param of ``nodes``, which all have it. ``unset``: what it stands at where no value is stored."""

    assignable = True
    """Whether macros can be assigned to it."""
    controllable = True
    """Whether it is a param of a node, which a control can move."""

    def __init__(self, session: Session, nodes: Sequence[str], param: Param, unset: float | None = None) -> None:
        self.session, self.nodes, self.param = session, tuple(nodes), param
        self._level = session.level
        self.unset = param.default if unset is None else unset
        self._from: dict[str, float] = {}
        self._travel = 0.0
        self._gesture: object = None

    # -- what it stands at ---------------------------------------------------------------------------------------------

    @property
    def there(self) -> tuple[str, ...]:
        """The nodes that are still there; none where another patch or another level is looked at by now."""
        graph = self.session.here.graph
        return tuple(id for id in self.nodes if id in graph) if self.session.level == self._level else ()

    def values(self) -> list[float]:
        """What each node's stands at, of those that are there."""
        here = self.session.here
        return [float(here.node(id).params.get(self.param.name, self.unset)) for id in self.there]

    @property
    def value(self) -> float:
        """What the first node's stands at."""
        found = self.values()
        return found[0] if found else self.unset

    @property
    def agree(self) -> bool:
        """Whether all nodes have one value."""
        return len(set(self.values())) <= 1

    @property
    def place(self) -> float:
        """Where the value lies in the range, 0 to 1."""
        return to_unit(self.param, self.value)

    @property
    def middle(self) -> float:
        """Where the range has its zero, 0 to 1: from there a knob's ring is filled."""
        return to_unit(self.param, 0.0) if self.param.low < 0 < self.param.high and not self.param.as_gain else 0.0

    @property
    def label(self) -> str:
        """The param's name as words."""
        return param_label(self.param)

    def words(self, value: float) -> str:
        """A value as people read it."""
        return value_text(self.param, value)

    @property
    def typed(self) -> str:
        """The value as it stands in the field where another can be typed."""
        return f"{self.value:.6g}"

    @property
    def choices(self) -> Sequence[str]:
        """What it can stand at, in words, where it picks one of a few things."""
        return [spoken(choice) for choice in self.param.choices]

    @property
    def chosen(self) -> int:
        """Which of them it stands at; −1 where several nodes differ."""
        return round(self.value - self.param.low) if self.agree else -1

    def choose(self, index: int) -> None:
        """Let it stand at one of them."""
        self.put(self.param.low + index)

    # -- gestures ------------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Something is being turned: what follows until ``end`` is one step of the history."""
        places = (to_unit(self.param, value) for value in self.values())
        self._from = dict(zip(self.there, places, strict=True))
        self._travel = 0.0
        self._gesture = fresh_gesture(self.nodes, self.param.name)

    def by(self, share: float, fine: bool = False) -> None:
        """Turn on, by a share of the whole range; each node from where it began."""
        self._travel += share * (FINE if fine else 1.0)
        began = {id: self._from[id] for id in self.there if id in self._from}
        self._do({id: from_unit(self.param, place + self._travel) for id, place in began.items()})

    def end(self) -> None:
        """It is let go."""
        self._gesture = None
        self.session.end_gesture()

    def put(self, value: float) -> None:
        """Give every node this value, as a step of its own."""
        self._gesture = None
        self._do(dict.fromkeys(self.there, min(max(value, self.param.low), self.param.high)))

    def type(self, text: str) -> None:
        """Take what was typed. Raises ValueError, saying what was expected."""
        self.put(parse_value(self.param, text))

    def flip(self) -> None:
        """Switch it over, or on to the next of its choices, coming round to the first."""
        span = int(self.param.high - self.param.low) + 1
        self.put(self.param.low + (round(self.value - self.param.low) + 1) % span)

    def reset(self) -> None:
        """Let the default hold."""
        stored = [id for id in self.there if self.param.name in self.session.here.node(id).params]
        name = step_name(self.session, "Reset", stored, self.param)
        self.session.do(*(SetParam(id, self.param.name, None) for id in stored), name=name)

    def _do(self, values: Mapping[str, float]) -> None:
        """Give nodes that are there values."""
        now = dict(zip(self.there, self.values(), strict=True))
        edits = [SetParam(id, self.param.name, value) for id, value in values.items() if value != now[id]]
        name = step_name(self.session, "Set", [edit.node for edit in edits], self.param)
        self.session.do(*edits, name=name, gesture=self._gesture)


def step_name(session: Session, what: str, nodes: Sequence[str], param: Param) -> str:
    """What a step of the history is called that does something to a param: ``Set Level of Music``."""
    if not nodes:
        return ""
    face = session.face(nodes[0])
    return f"{what} {face.label(param)} of {face.title if len(nodes) == 1 else f'{len(nodes)} nodes'}"


AMOUNT = Param("amount", 100.0, -100.0, 100.0, "%", doc="How much of the range a cable moves a param by.")


class Amount(Turning):
    """How much a cable modulates a param, in percent of its range, as something to turn."""

    assignable = controllable = False

    def __init__(self, session: Session, cable: CableKey) -> None:
        super().__init__(session, (cable[0],), AMOUNT)
        self.key = cable

    def _cable(self) -> Cable | None:
        return next((c for c in self.session.here.cables() if c.key == self.key), None) if self.there else None

    def values(self) -> list[float]:
        """What the cable's stands at."""
        cable = self._cable()
        return [] if cable is None else [100.0 * (1.0 if cable.amount is None else cable.amount)]

    def type(self, text: str) -> None:
        """Take what was typed: a share of the range, or the end that is gone to. Raises ValueError."""
        cable = self._cable()
        face = self.session.face(cable.target) if cable is not None else None
        param = face.param(cable.target_port) if face is not None and cable is not None else None
        if face is None or cable is None or param is None:
            super().type(text)
            return
        amount = typed_amount(text, param, float(face.values.get(param.name, param.default)))
        edit = SetCable(replace(cable, amount=amount))
        self.session.do(edit, name=f"Amount of {self.session.face(cable.source).title}")

    @property
    def ends(self) -> str:
        """Both ends of the way, as people read them."""
        cable = self._cable()
        return cable_words(self.session, cable)[1] if cable is not None else ""

    def reset(self) -> None:
        """All of the range."""
        self.put(self.unset)

    def _do(self, values: Mapping[str, float]) -> None:
        cable = self._cable()
        if cable is None:
            return
        for value in values.values():
            edit = SetCable(replace(cable, amount=round(value) / 100))
            self.session.do(edit, name=f"Amount of {cable.source}", gesture=self._gesture)
