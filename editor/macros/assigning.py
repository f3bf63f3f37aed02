"""What is a macro, what it moves, and the edits that let it move more. Knows no window, and no kind by its name.

While a macro is being assigned, a knob that is pressed anywhere in the window is not turned: it is moved by the macro
from then on, and the drag sets how far.
"""

from __future__ import annotations

from dataclasses import replace

from editor.faces import Face, param_label
from editor.macros.depth import amount_of, cable_words, typed_amount
from editor.model import Session
from editor.turning import FINE, fresh_gesture
from graph.document import Cable, CableKey
from graph.edits import Connect, Disconnect, SetCable
from graph.errors import PatchError
from graph.spec import Node, Param

FIRST_AMOUNT = 0.25
"""How much of a param's range a macro moves, before a drag says otherwise."""


def is_macro(face: Face) -> bool:
    """Whether a node is one knob and one control output, and nothing goes into it."""
    outs = [port.type for port in face.outputs]
    return not face.inputs and outs == ["control"] and len(face.params) == 1 and not face.readings


def macro_kinds(session: Session) -> list[str]:
    """The kinds that make macros, those with the fewest settings first."""
    found: list[tuple[int, str]] = []
    for name, kind in session.kinds.items():
        if _makes_macros(kind):
            found.append((len(kind.settings_declared()), name))
    return [name for _, name in sorted(found)]


def _makes_macros(kind: type[Node]) -> bool:
    try:
        settings = {s.name: s.default for s in kind.settings_declared()}
        ports, params = kind.ports(settings), kind.params(settings)
    except PatchError:
        return False
    return [(p.flow, p.type) for p in ports] == [("out", "control")] and len(params) == 1


def macros_of(session: Session) -> list[str]:
    """The macros of the level that is looked at, in the order in which they were put there."""
    return [id for id in session.here.nodes() if is_macro(session.face(id))]


def targets_of(session: Session, macro: str) -> list[tuple[Cable, Param]]:
    """What a macro moves: its cables, and the params that these go to."""
    found: list[tuple[Cable, Param]] = []
    for cable in session.survey.cables_of(macro):
        if cable.source == macro and cable.target in session.here.graph:
            param = session.face(cable.target).param(cable.target_port)
            if param is not None:
                found.append((cable, param))
    return found


class Assigning:
    """A macro that is being assigned. A press, its drag and its release are one step of the history."""

    def __init__(self, session: Session, macro: str) -> None:
        self.session, self.macro, self._level = session, macro, session.level
        self._held: dict[CableKey, float] = {}
        """What is being dragged, and how far it is moved."""
        self._gesture: object = None

    @property
    def valid(self) -> bool:
        """Whether the macro is still there, and at the level that is looked at."""
        return self.session.level == self._level and self.macro in self.session.here.graph

    def amounts(self) -> dict[tuple[str, str], float]:
        """How far it moves what, by node and param."""
        return {(cable.target, param.name): amount_of(cable) for cable, param in targets_of(self.session, self.macro)}

    def can_move(self, node: str, param: Param) -> bool:
        """Whether it may move a param."""
        return node != self.macro and param.modulatable

    @property
    def held(self) -> frozenset[tuple[str, str]]:
        """The node and param of each that is being dragged."""
        return frozenset((key[2], key[3]) for key in self._held)

    def words(self, node: str, param: Param) -> tuple[str, str] | None:
        """How far it moves a param, as a share and as both ends; None where it does not move it."""
        key = (node, param.name)
        cable = next((c for c, p in targets_of(self.session, self.macro) if (c.target, p.name) == key), None)
        return cable_words(self.session, cable) if cable is not None else None

    def press(self, node: str, param: Param, *others: str) -> None:
        """Let it move a param of a node, and of others that have it, where it does not yet. Raises PatchError where it
        cannot.
        """
        port = self.session.face(self.macro).outputs[0].name
        cables = [Cable(self.macro, port, id, param.name, amount=FIRST_AMOUNT) for id in (node, *others)]
        for id in (node, *others):
            self._check(id, param)
        self._gesture = fresh_gesture("assign", *(cable.key for cable in cables))
        before = self.amounts()
        self._held = {cable.key: before.get((cable.target, param.name), FIRST_AMOUNT) for cable in cables}
        fresh = [Connect(cable) for cable in cables if (cable.target, param.name) not in before]
        name = f"Let {self.session.face(self.macro).title} move {param_label(param)}"
        self.session.do(*fresh, name=name, gesture=self._gesture)

    def _check(self, node: str, param: Param) -> None:
        if node == self.macro:
            raise PatchError("a macro cannot move itself", place=f"nodes.{node}.{param.name}", node=node)
        if not param.modulatable:
            words = f"{param_label(param)} of {self.session.face(node).title} cannot be modulated"
            raise PatchError(words, place=f"nodes.{node}.{param.name}", node=node)

    def drag(self, share: float, fine: bool = False) -> None:
        """Change how far it moves what was pressed, by a share of the range."""
        by = share * (FINE if fine else 1.0)
        self._held = {key: min(max(amount + by, -1.0), 1.0) for key, amount in self._held.items()}
        edits: list[SetCable] = []
        for cable in self.session.survey.cables_of(self.macro) if self.valid else ():
            amount = round(self._held[cable.key], 2) if cable.key in self._held else cable.amount
            if cable.amount != amount:
                edits.append(SetCable(replace(cable, amount=amount)))
        for edit in edits:  # one by one, so that the history keeps each once
            self.session.do(edit, name=f"Amount of {self.session.face(self.macro).title}", gesture=self._gesture)

    def type(self, text: str, param: Param, *nodes: str) -> None:
        """Say how far it moves a param of nodes: a share of the range, or the end that is gone to, from where each
        stands (see ``typed_amount``). Raises ValueError, saying what was expected.
        """
        edits: list[SetCable] = []
        for cable, moved in targets_of(self.session, self.macro):
            if cable.target in nodes and moved.name == param.name:
                value = float(self.session.face(cable.target).values.get(param.name, param.default))
                edits.append(SetCable(replace(cable, amount=typed_amount(text, param, value))))
        self.session.do(*edits, name=f"Amount of {self.session.face(self.macro).title}")

    def release(self) -> None:
        """What was pressed is let go."""
        self._held = {}
        self.session.end_gesture()


def release_edits(session: Session, macro: str, node: str, param: str) -> list[Disconnect]:
    """The edits that let a macro move a param no more."""
    keys = [cable.key for cable, _ in targets_of(session, macro)]
    return [Disconnect(*key) for key in keys if key[2:] == (node, param)]
