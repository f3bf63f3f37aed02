"""What is a macro, what it moves, and the edits that let it move more. Knows no window, and no kind by its name.

While a macro is being assigned, a knob that is pressed anywhere in the window is not turned: it is moved by the macro
from then on, and the drag sets how far.
"""

from __future__ import annotations

from dataclasses import replace

from editor.faces import Face, param_label
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
        self._key: CableKey | None = None
        self._amount = 0.0
        self._gesture: object = None

    @property
    def valid(self) -> bool:
        """Whether the macro is still there, and at the level that is looked at."""
        return self.session.level == self._level and self.macro in self.session.here.graph

    def amounts(self) -> dict[tuple[str, str], float]:
        """How far it moves what, by node and param."""
        return {
            (cable.target, param.name): 1.0 if cable.amount is None else cable.amount
            for cable, param in targets_of(self.session, self.macro)
        }

    def can_move(self, node: str, param: Param) -> bool:
        """Whether it may move a param."""
        return node != self.macro and param.modulatable

    def press(self, node: str, param: Param) -> None:
        """Let it move a param, if it does not yet. Raises PatchError where it cannot."""
        if node == self.macro:
            raise PatchError("a macro cannot move itself", place=f"nodes.{node}.{param.name}", node=node)
        if not param.modulatable:
            words = f"{param_label(param)} of {self.session.face(node).title} cannot be modulated"
            raise PatchError(words, place=f"nodes.{node}.{param.name}", node=node)
        port = self.session.face(self.macro).outputs[0].name
        cable = Cable(self.macro, port, node, param.name, amount=FIRST_AMOUNT)
        self._key, self._gesture = cable.key, fresh_gesture("assign", cable.key)
        before = self.amounts().get((node, param.name))
        self._amount = FIRST_AMOUNT if before is None else before
        if before is None:
            name = f"Let {self.session.face(self.macro).title} move {param_label(param)}"
            self.session.do(Connect(cable), name=name, gesture=self._gesture)

    def drag(self, share: float, fine: bool = False) -> None:
        """Change how far it moves what was pressed, by a share of the range."""
        if self._key is None:
            return
        self._amount = min(max(self._amount + share * (FINE if fine else 1.0), -1.0), 1.0)
        amount = round(self._amount, 2)
        cable = next((c for c in self.session.survey.cables_of(self.macro) if c.key == self._key), None)
        if cable is not None and cable.amount != amount:
            name = f"Amount of {self.session.face(self.macro).title}"
            self.session.do(SetCable(replace(cable, amount=amount)), name=name, gesture=self._gesture)

    def release(self) -> None:
        """What was pressed is let go."""
        self._key = None
        self.session.end_gesture()


def release_edits(session: Session, macro: str, node: str, param: str) -> list[Disconnect]:
    """The edits that let a macro move a param no more."""
    keys = [cable.key for cable, _ in targets_of(session, macro)]
    return [Disconnect(*key) for key in keys if key[2:] == (node, param)]
