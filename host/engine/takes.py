"""Where takes begin: what was played to a moment of the patch is to lie at that moment."""

from __future__ import annotations

from collections import defaultdict

from graph.document import Patch
from graph.groups import expand


def hearing(patch: Patch) -> frozenset[str]:
    """The recorders that hear what comes in from outside, by address. What comes back from outboard gear counts not:
    its latency is declared, and made up for.
    """
    flat = expand(patch)
    following: dict[str, list[str]] = defaultdict(list)
    for cable in flat.cables:
        following[cable.source].append(cable.target)
    waiting = [id for id, e in flat.nodes.items() if e.kind == "audio_in" and not e.settings.get("return_of")]
    reached = set(waiting)
    while waiting:
        for id in following[waiting.pop()]:
            if id not in reached:
                reached.add(id)
                waiting.append(id)
    return frozenset(id for id in reached if id in flat.nodes and flat.nodes[id].kind == "file_recorder")
