"""How far a cable moves a param: both ends of the way, and what a typed text says of it. Knows no window.

A param that is modulated stands at norm(value) + amount · signal, from 0 to 1 along its range; what sends from 0 to 1
moves it from where it stands to one end, what sends from −1 to 1 (``bipolar``) to either side.
"""

from __future__ import annotations

from editor.faces import from_unit, parse_value, to_unit, value_text
from editor.model import Session
from graph.document import Cable
from graph.spec import Param

DIGITS = 4
"""Of an amount, where an end is typed in the param's unit."""


def amount_of(cable: Cable) -> float:
    """How far a cable moves its param, in shares of the range."""
    return 1.0 if cable.amount is None else cable.amount


def ends(param: Param, value: float, amount: float, bipolar: bool = False) -> tuple[float, float]:
    """Where a param is at the lowest and at the highest of what moves it, with nothing else moving it."""
    place = to_unit(param, value)
    return from_unit(param, place - amount if bipolar else place), from_unit(param, place + amount)


def is_bipolar(session: Session, source: str) -> bool:
    """Whether a node of this level says that it sends from −1 to 1."""
    return session.face(source).settings.get("bipolar") is True


def percent_words(amount: float) -> str:
    """An amount as people read it."""
    return f"{100 * amount:+.0f} %".replace("-", "−")


def ends_words(param: Param, value: float, amount: float, bipolar: bool = False) -> str:
    """Both ends as people read them."""
    low, high = ends(param, value, amount, bipolar)
    return f"{value_text(param, low)}  ›  {value_text(param, high)}"


def cable_words(session: Session, cable: Cable) -> tuple[str, str]:
    """How far a cable of this level moves its param: as a share, and as both ends; nothing where it moves none."""
    face = session.face(cable.target)
    param = face.param(cable.target_port)
    if param is None:
        return percent_words(amount_of(cable)), ""
    value = float(face.values.get(param.name, param.default))
    words = ends_words(param, value, amount_of(cable), is_bipolar(session, cable.source))
    return percent_words(amount_of(cable)), words


def typed_amount(text: str, param: Param, value: float) -> float:
    """The amount that a text means: percent of the range, ``25`` or ``-40 %``, or, in the param's own unit or after
    "to", the end that the highest goes to: ``2 kHz``, ``to -6``.

    Raises ValueError, saying what was expected.
    """
    typed = text.strip().lower().replace("−", "-").replace(",", ".")
    wants_end = typed.startswith(("to ", "›"))
    typed = typed.removeprefix("to ").removeprefix("›").strip()
    if not wants_end:
        try:
            percent = float(typed.removesuffix("%").strip())
        except ValueError:
            wants_end = True
        else:
            if not -100.0 <= percent <= 100.0:
                raise ValueError(f"expected -100 to 100 %, found {percent:g}")
            return round(percent / 100.0, DIGITS)
    try:
        end = parse_value(param, typed)
    except ValueError as error:
        raise ValueError(f"{error}; or -100 to 100 %") from None
    return round(to_unit(param, end) - to_unit(param, value), DIGITS)
