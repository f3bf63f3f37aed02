"""Latencies measured in processes of their own, and kept beside what scans found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from host.plugins.look import COMMAND
from host.plugins.scan import chosen
from host.plugins.store import Found, Store
from host.plugins.trial import Limits, attempt

KEYS = ("rate", "block", "reported", "onset", "peak", "level", "agreement", "measured")


def measurable(store: Store, words: Sequence[str]) -> list[Found]:
    """The good plugins that words mean, or all. Raises ValueError for a word that means none."""
    if not words:
        return store.plugins()
    found: dict[tuple[str, str], Found] = {}
    for word in words:
        files = chosen(store, [word])
        good = [(f, c) for f in files for c in f.classes if f.present and c.description]
        named = [(f, c) for f, c in good if word.lower() in (c.name.lower(), c.uid.lower())] or good
        if not named:
            raise ValueError(f"{word}: {files[0].verdict}, {files[0].reason}; it cannot be measured")
        for file, known in named:
            assert known.description is not None
            found[file.path, known.uid] = Found(file.path, file.format, known.backend, known.description)
    return list(found.values())


def latency(store: Store, plugin: Found, rate: int, block: int, limits: Limits) -> dict[str, Any]:
    """Measure a plugin, with the backend that runs it, and keep the result. Raises ValueError where it dies or says no.

    The result is a ``Ping`` as plain data, with ``name``, ``uid`` and ``path``.
    """
    name, uid = plugin.description.name, plugin.description.uid
    words = ["--file", plugin.path, "--format", plugin.format, "--backend", plugin.backend]
    ending = attempt([*COMMAND, *words, "--ping", uid, "--rate", str(rate), "--block", str(block)], limits)
    for answer in ending.answers:
        match answer:
            case {"ping": {**found}} if set(found) == set(KEYS):
                result = {"name": name, "uid": uid, "path": plugin.path, **found}
                store.put_latency(plugin.path, uid, rate, result)
                return result
            case {"verdict": str(), "reason": str(reason)}:
                raise ValueError(f"{name}: {reason}")
    raise ValueError(f"{name}: {ending.died or 'crashed'}, {ending.words or 'its process ended early'}")
