"""Which plugins share a process: none, those of a serial chain, or all of a patch."""

from __future__ import annotations

from typing import Literal, get_args

from graph.document import Patch

Grouping = Literal["plugin", "chain", "patch"]
"""A process for each plugin, for each serial chain, or for all."""
GROUPINGS: tuple[Grouping, ...] = get_args(Grouping)


def checked_grouping(word: str) -> Grouping:
    """The grouping that a word means. Raises ValueError."""
    for grouping in GROUPINGS:
        if word == grouping:
            return grouping
    raise ValueError(f"plugins share processes by {', '.join(GROUPINGS[:-1])} or {GROUPINGS[-1]}, not by {word!r}")


def chains(patch: Patch) -> dict[str, str]:
    """For each plugin node the first of its chain: plugins that feed one another, and nothing else."""
    plugins = {id for id, entry in patch.nodes().items() if entry.kind == "plugin"}
    after: dict[str, set[str]] = {}
    before: dict[str, set[str]] = {}
    for cable in patch.cables():
        after.setdefault(cable.source, set()).add(cable.target)
        before.setdefault(cable.target, set()).add(cable.source)
    first: dict[str, str] = {}
    for id in sorted(plugins):
        at, seen = id, {id}
        while len(found := before.get(at, set()) & plugins) == 1 and len(before[at]) == 1:
            (source,) = found
            if len(after[source]) != 1 or source in seen:
                break
            seen.add(source)
            at = source
        first[id] = at
    return first
