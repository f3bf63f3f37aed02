"""What stands where a kind is not known: it keeps the node's ports and passes audio through if it can."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

from graph.document import Cable, NodeEntry
from graph.errors import PatchError
from graph.resolve import resolve_settings
from graph.spec import AudioIn, AudioOut, EventsIn, EventsOut, Kinds, Node, kernel


@kernel
def _pass(signal: object, out: object, n: object) -> None:
    for i in range(n):  # type: ignore[call-overload]
        for lane in range(out.lanes):  # type: ignore[attr-defined]
            out[i, lane] = signal[i, lane]  # type: ignore[index]


def stand_in(
    id: str, entry: NodeEntry, cables: Iterable[Cable], nodes: Mapping[str, NodeEntry], kinds: Kinds
) -> type[Node]:
    """A kind with just the ports that the patch's cables use on this node. Events go no further: what is no sound must
    not become any.
    """
    inputs, outputs = set[str](), set[str]()
    took, gave = set[str](), set[str]()
    for cable in cables:
        if id in (cable.source, cable.target):
            events = "events" in (
                _type(cable.source, cable.source_port, "out", nodes, kinds),
                _type(cable.target, cable.target_port, "in", nodes, kinds),
            )
            if cable.target == id:
                (took if events else inputs).add(cable.target_port)
            if cable.source == id:
                (gave if events else outputs).add(cable.source_port)
    return _stand_in(entry.kind, *(tuple(sorted(names)) for names in (inputs - took, outputs - gave, took, gave)))


def _type(id: str, port: str, flow: str, nodes: Mapping[str, NodeEntry], kinds: Kinds) -> str:
    """What a port of another node carries; nothing where that is not known either."""
    kind = kinds.get(nodes[id].kind) if id in nodes else None
    try:
        ports = kind.ports(resolve_settings(kind, nodes[id])) if kind is not None else ()
    except PatchError:
        return ""
    return next((p.type for p in ports if p.name == port and p.flow == flow), "")


@cache
def _stand_in(
    kind: str, inputs: tuple[str, ...], outputs: tuple[str, ...], took: tuple[str, ...], gave: tuple[str, ...]
) -> type[Node]:
    main_in = "in" if "in" in inputs or not inputs else inputs[0]
    main_out = "out" if "out" in outputs or not outputs else outputs[0]
    body: dict[str, object] = {
        "kind": kind,
        "bypassable": True,
        "varies": True,
        "process": _pass,
        "signal": AudioIn(main_in),
        "out": AudioOut(main_out),
    }
    body |= {f"in_{k}": AudioIn(name, "any") for k, name in enumerate(inputs) if name != main_in}
    body |= {f"out_{k}": AudioOut(name) for k, name in enumerate(outputs) if name != main_out}
    body |= {f"took_{k}": EventsIn(name) for k, name in enumerate(took)}
    body |= {f"gave_{k}": EventsOut(name) for k, name in enumerate(gave)}
    return type("StandIn", (Node,), body)
