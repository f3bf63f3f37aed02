"""What stands where a kind is not known: it keeps the node's ports and passes audio through if it can."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from graph.document import Cable, NodeEntry
from graph.errors import PatchError
from graph.resolve import resolve_settings
from graph.spec import AudioIn, AudioOut, AudioOuts, EventsIn, EventsOut, Kinds, Node, PortBank, kernel


@kernel
def _pass(signal: object, out: object, n: object) -> None:
    for i in range(n):  # type: ignore[call-overload]
        for lane in range(out.lanes):  # type: ignore[attr-defined]
            out[i, lane] = signal[i, lane]  # type: ignore[index]


@kernel
def _pass_one(signal: Any, out: Any, rest: Any, still: Any, n: Any) -> None:
    for i in range(n):
        for lane in range(out.lanes):
            out[i, lane] = signal[i, lane]
    for k in range(len(rest)):
        for i in range(n):
            for lane in range(rest[k].lanes):
                rest[k][i, lane] = 0.0
    for k in range(len(still)):
        for i in range(n):
            still[k][i, 0] = 0.0


def stand_in(
    id: str, entry: NodeEntry, cables: Iterable[Cable], nodes: Mapping[str, NodeEntry], kinds: Kinds
) -> type[Node]:
    """A kind with just the ports that the patch's cables use on this node. Its first input goes to its first output,
    and the others are silent. Events go no further, nor does it move any param: what is no sound must not become any.
    """
    inputs, outputs = set[str](), set[str]()
    took, gave, moves = set[str](), set[str](), set[str]()
    for cable in cables:
        if id in (cable.source, cable.target):
            goes_to = _type(cable.target, cable.target_port, "in", nodes, kinds)
            events = "events" in (_type(cable.source, cable.source_port, "out", nodes, kinds), goes_to)
            if cable.target == id:
                (took if events else inputs).add(cable.target_port)
            if cable.source == id:
                (gave if events else outputs).add(cable.source_port)
                if goes_to in ("control", "param"):
                    moves.add(cable.source_port)
    found = (inputs - took, outputs - gave - moves, took, gave, moves - gave)
    return _stand_in(entry.kind, *(tuple(sorted(names)) for names in found))


def _type(id: str, port: str, flow: str, nodes: Mapping[str, NodeEntry], kinds: Kinds) -> str:
    """What a port of another node carries, ``param`` for one of its params; nothing where that is not known either."""
    kind = kinds.get(nodes[id].kind) if id in nodes else None
    try:
        settings = resolve_settings(kind, nodes[id]) if kind is not None else {}
        ports = kind.ports(settings) if kind is not None else ()
        params = kind.params(settings) if kind is not None and flow == "in" else ()
    except PatchError:
        return ""
    found = next((p.type for p in ports if p.name == port and p.flow == flow), "")
    return found or ("param" if any(p.name == port for p in params) else "")


@cache
def _stand_in(
    kind: str,
    inputs: tuple[str, ...],
    outputs: tuple[str, ...],
    took: tuple[str, ...],
    gave: tuple[str, ...],
    moves: tuple[str, ...],
) -> type[Node]:
    main_in = "in" if "in" in inputs or not inputs else inputs[0]
    rest = outputs[1:] if "out" not in outputs else tuple(name for name in outputs if name != "out")
    main_out = next((name for name in outputs if name not in rest), _free("out", (*gave, *moves)))
    body: dict[str, object] = {
        "kind": kind,
        "bypassable": True,
        "varies": True,
        "process": _pass_one if rest or moves else _pass,
        "signal": AudioIn(main_in),
        "out": AudioOut(main_out),
    }
    if rest or moves:
        named = (*outputs, *gave, *moves)
        silent, still = rest or (_free("rest", named),), moves or (_free("still", named),)
        body |= {"rest": AudioOuts(lambda _: silent, "auto"), "still": PortBank(lambda _: still, "out", "control")}
    body |= {f"in_{k}": AudioIn(name, "any") for k, name in enumerate(inputs) if name != main_in}
    body |= {f"took_{k}": EventsIn(name) for k, name in enumerate(took)}
    body |= {f"gave_{k}": EventsOut(name) for k, name in enumerate(gave)}
    return type("StandIn", (Node,), body)


def _free(name: str, taken: tuple[str, ...]) -> str:
    """A name like this one that is not taken."""
    return name if name not in taken else _free(f"{name}_", taken)
