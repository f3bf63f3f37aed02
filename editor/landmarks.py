"""What the window shows and where, for those who test it from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dearpygui.dearpygui as dpg

from editor.files.dialog import Dialog

if TYPE_CHECKING:
    from editor.app import App


def locate(app: App, what: str) -> tuple[float, float, float, float] | None:
    """Where something is on the window, as x, y, width, height: an item by its tag, or what a panel knows."""
    for panel in app.panels.values():
        found = panel.locate(what)
        if found is not None:
            return found
    slot = app.slots.get(what.removeprefix("slot:"))  # type: ignore[call-overload]
    if slot is not None:
        return slot.x, slot.y, slot.width, slot.height
    state = dpg.get_item_state(what) if dpg.does_item_exist(what) else {}
    if what.startswith("menu:") and any(state.get("pos", ())):
        x, y = state["pos"]  # of menus no more is known
        return float(x), float(y), float(app.look.px(24)), float(app.look.px(24))
    if "rect_min" not in state:
        return None
    x, y = dpg.get_item_rect_min(what)
    width, height = dpg.get_item_rect_size(what)
    return float(x), float(y), float(width), float(height)


def landmarks(app: App) -> dict[str, tuple[float, float, float, float]]:
    """Everything that has a name and is seen, and where it is."""
    names = [name for panel in app.panels.values() for name in panel.landmarks()]
    names += [tag for tag in dpg.get_aliases() if dpg.does_item_exist(tag) and dpg.get_item_state(tag).get("visible")]
    found = {name: rect for name in names if (rect := locate(app, name)) is not None}
    width, height = dpg.get_viewport_client_width(), dpg.get_viewport_client_height()
    return {n: r for n, r in found.items() if 0 <= r[0] + r[2] / 2 < width and 0 <= r[1] + r[3] / 2 < height}


def describe(app: App) -> dict[str, Any]:
    """What the window shows and does, in plain data."""
    session = app.session
    return {
        "file": str(session.file or ""),
        "path": list(session.path),
        "nodes": sorted(session.here.nodes()),
        "cables": [c.place.removeprefix("cables.") for c in session.here.cables()],
        "selection": sorted(session.selection),
        "dirty": session.dirty,
        "undo": session.history.done,
        "redo": session.history.undone,
        "engine": app.sound.state.phase,
        "rolling": app.sound.state.rolling,
        "dialog": app.dialog.title if app.dialog else "",
        "stop": str(app.dialog.stops.at or "") if isinstance(app.dialog, Dialog) else "",
        "place_s": app.sound.state.place_s,
        "trimmed_db": app.sound.trimmed_db,
        "notices": [[n.level, n.text] for n in app.notices.listed()],
        "frames": app.frames,
        "mouse": app.pointer.at,
        "work_s": app.work_s,
        "patch": session.patch.to_json(),
    }
