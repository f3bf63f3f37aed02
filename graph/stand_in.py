"""What stands where a kind is not known: it keeps the node's ports and passes audio through if it can."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from graph.document import Cable, NodeEntry
from graph.spec import AudioIn, AudioOut, Node, kernel


@kernel
def _pass(signal: object, out: object, n: object) -> None:
    for i in range(n):  # type: ignore[call-overload]
        for lane in range(out.lanes):  # type: ignore[attr-defined]
            out[i, lane] = signal[i, lane]  # type: ignore[index]


def stand_in(id: str, entry: NodeEntry, cables: Iterable[Cable]) -> type[Node]:
    """A kind with just the ports that the patch's cables use on this node."""
    inputs = sorted({c.target_port for c in cables if c.target == id})
    outputs = sorted({c.source_port for c in cables if c.source == id})
    return _stand_in(entry.kind, tuple(inputs), tuple(outputs))


@cache
def _stand_in(kind: str, inputs: tuple[str, ...], outputs: tuple[str, ...]) -> type[Node]:
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
    return type("StandIn", (Node,), body)
