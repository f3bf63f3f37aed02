"""Which plugin a node's settings name, and whether it is the one that the patch was made with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graph.errors import PatchError
from host.plugins.description import Description, plain


def from_store(settings: Mapping[str, Any]) -> tuple[Description, Mapping[str, Any]]:
    """A plugin that a scan on this machine found good."""
    from host.plugins.store import Store, StoreError

    try:
        with Store() as store:
            found = store.find(settings["format"], settings["uid"], settings["path_hint"]) if settings["uid"] else None
            if found is None and not settings["uid"]:
                wanted = settings["name"], settings["vendor"]
                for each in store.plugins():
                    own = each.description.name, each.description.vendor if settings["vendor"] else ""
                    if own == wanted and each.format == settings["format"]:
                        found = each
    except StoreError as error:
        raise PatchError(str(error)) from None
    if found is None:
        name = settings["name"] or settings["uid"]
        raise PatchError(f"there is no plugin {name!r} on this machine, as far as `patchwright plugins scan` knows")
    source = {"path": found.path, "uid": found.description.uid, "backend": found.backend, "format": found.format}
    return found.description, {**source, "description": plain(found.description)}


def version_words(settings: Mapping[str, Any], description: Description) -> str:
    """What to say where a plugin has another version than the patch was made with; empty where it has not."""
    then, now = str(settings.get("version", "")), description.version
    if not then or not now or then == now:
        return ""
    return f"{description.name} is version {now} here; the patch was made with {then}"
