"""What can be commanded on the canvas."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from editor import clipboard
from editor.canvas.arranging import arrange_nodes, framing
from editor.canvas.clip import copied, paste_edits, pasted
from editor.canvas.grouping import group, ungroup
from editor.canvas.overlay import Overlay
from editor.canvas.scene import Frame
from editor.canvas.view import Box
from editor.commands import Command
from editor.controls.hands import hands_of
from editor.controls.menu import close_menu
from graph.edits import Edit, Move, SetBypass, SetMute
from graph.errors import PatchError

if TYPE_CHECKING:
    from editor.app import App
    from editor.canvas.panel import Canvas
    from editor.palette import Palette

PASTE_OFFSET = (40.0, 40.0)


def _canvas(app: App) -> Canvas:
    return cast("Canvas", app.panels["canvas"])


def _any(app: App) -> bool:
    return bool(app.session.selection)


def _anything(app: App) -> bool:
    return bool(app.session.selection or app.session.cables)


def _several(app: App) -> bool:
    return len(app.session.selection) > 1


def _one(app: App) -> bool:
    return app.session.chosen is not None


def _a_group(app: App) -> bool:
    chosen = app.session.chosen
    return chosen is not None and app.session.here.node(chosen).kind == "group"


def _copy(app: App) -> None:
    clip = copied(app.session, app.session.selection)
    for id, entry in clip.nodes().items():
        entry.position = _canvas(app).scene.places[id]
    clipboard.put(clip.to_json())


def _cut(app: App) -> None:
    _copy(app)
    _canvas(app).gestures.delete()


def _paste(app: App) -> None:
    canvas = _canvas(app)
    clip = pasted(app.session, clipboard.text())
    edits, names = paste_edits(app.session, clip, canvas.at_mouse())
    app.session.do(*edits, name=f"Paste {len(names)} node{'s' if len(names) > 1 else ''}")
    app.session.select(names.values())


def _duplicate(app: App) -> None:
    clip = copied(app.session, app.session.selection)
    for id, entry in clip.nodes().items():
        entry.position = _canvas(app).scene.places[id]
    edits, names = paste_edits(app.session, clip, None, PASTE_OFFSET)
    app.session.do(*edits, name=f"Duplicate {len(names)} node{'s' if len(names) > 1 else ''}")
    app.session.select(names.values())


def _arrange(app: App) -> None:
    canvas, session = _canvas(app), app.session
    chosen = session.selection if len(session.selection) > 1 else frozenset(canvas.scene.places)
    span = canvas.scene.span(chosen)
    if span is None:
        return
    arrange_nodes(session, canvas.scene, chosen, (span.x, span.y))
    if len(session.selection) < 2:
        app.sync()
        canvas.show_nodes()


def _align(app: App, how: str) -> None:
    scene, chosen = _canvas(app).scene, sorted(app.session.selection)
    boxes = {id: scene.box(id) for id in chosen}
    edits: list[Edit] = []
    if how in ("left", "top"):
        left, top = min(b.x for b in boxes.values()), min(b.y for b in boxes.values())
        edits = [Move(id, (left, b.y) if how == "left" else (b.x, top)) for id, b in boxes.items()]
    else:
        across = how == "across"
        order = sorted(chosen, key=lambda n: boxes[n].x if across else boxes[n].y)
        room = sum(boxes[id].width if across else boxes[id].height for id in order)
        first, last = boxes[order[0]], boxes[order[-1]]
        whole = (last.right - first.x) if across else (last.bottom - first.y)
        gap = max((whole - room) / (len(order) - 1), 20.0)
        at = first.x if across else first.y
        for id in order:
            b = boxes[id]
            edits.append(Move(id, (at, b.y) if across else (b.x, at)))
            at += (b.width if across else b.height) + gap
    app.session.do(*edits, name="Align nodes")


def _frame(app: App) -> None:
    from editor.canvas.frames import frame_edit

    canvas = _canvas(app)
    span = canvas.scene.span(app.session.selection) if app.session.selection else None
    if span is None:
        x, y = canvas.at_mouse()
        span = Box(x, y, 260, 140)
    box = framing(span)
    families = [canvas.scene.shapes[id].face.family for id in sorted(app.session.selection)]
    colour = max(set(families), key=families.count) if families else "utility"
    frame = Frame(len(canvas.scene.frames), "Frame", colour, box)
    app.session.do(frame_edit(app.session, frame), name="Add a frame")
    app.sync()
    canvas.popups.edit_frame(frame)


def _group(app: App) -> None:
    session = app.session
    session.select({group(session, session.selection, _canvas(app).scene.places)})


def _ungroup(app: App) -> None:
    session = app.session
    assert session.chosen is not None
    session.select(ungroup(session, session.chosen, _canvas(app).scene.places[session.chosen]))


def _enter(app: App) -> None:
    if app.session.chosen is not None:
        app.session.enter(app.session.chosen)


def _keep(app: App) -> None:
    from editor.canvas.block_dialog import BlockDialog

    BlockDialog(app, app.session.chosen).open()


def _blocks(app: App) -> None:
    from editor.canvas.block_dialog import BlockDialog

    BlockDialog(app, None).open()


def _escape(app: App) -> None:
    canvas = _canvas(app)
    if close_menu():
        return
    if canvas.popups.open:
        canvas.popups.close()
    elif canvas.gestures.held is not None:
        canvas.gestures.cancel()
        canvas._show_hand()
    elif hands_of(app).cancel() or app.keyboard.typing:
        return
    elif app.assigning is not None:
        app.assigning = None
    elif app.session.selection or app.session.cables:
        app.session.select()
    elif app.session.path:
        app.session.go(app.session.path[:-1])


def _bypass(app: App) -> None:
    here, chosen = app.session.here, sorted(app.session.selection)
    scene = _canvas(app).scene
    able = [id for id in chosen if scene.shapes[id].face.bypassable]
    if not able:
        raise PatchError("none of these can be bypassed; mute them")
    on = not all(here.node(id).bypass for id in able)
    app.session.do(*[SetBypass(id, on) for id in able])


def _mute(app: App) -> None:
    here, chosen = app.session.here, sorted(app.session.selection)
    on = not all(here.node(id).mute for id in chosen)
    app.session.do(*[SetMute(id, on) for id in chosen])


def _overlay(app: App, what: str) -> None:
    Overlay.shows = "" if Overlay.shows == what else what
    _canvas(app)._draw_over()


def _follow(app: App) -> None:
    canvas = _canvas(app)
    canvas.follows_signal = not canvas.follows_signal
    canvas._relate()
    canvas.painter.sync()


def _zoom(app: App, steps: int) -> None:
    canvas = _canvas(app)
    canvas.show(canvas.gestures.view.zoomed(steps, (canvas.size[0] / 2, canvas.size[1] / 2)))


def _full(app: App) -> None:
    canvas = _canvas(app)
    canvas.show(canvas.gestures.view.at_zoom(1.0, (canvas.size[0] / 2, canvas.size[1] / 2)))


def _nudge(app: App, dx: float, dy: float) -> None:
    scene = _canvas(app).scene
    for id in sorted(app.session.selection):
        x, y = scene.places[id]
        app.session.do(
            Move(id, (x + dx, y + dy)), name="Nudge", gesture=("nudge", tuple(sorted(app.session.selection)))
        )


def _palette(app: App) -> Palette:
    return cast("Palette", app.panels["palette"])


def _in_search(app: App) -> bool:
    return _canvas(app).popups.open == "search"


def _take(app: App) -> None:
    canvas = _canvas(app)
    if canvas.popups.open:
        canvas.popups.enter()
    else:
        _palette(app).take()


def _down(app: App, by: int) -> None:
    if _in_search(app):
        _canvas(app).popups.step(by)
    elif app.session.selection:
        _nudge(app, 0, 10 * by)


COMMANDS = (
    Command("canvas.add", "Add a node…", lambda a: _canvas(a).popups.search(_canvas(a).at_mouse()), ("tab",), "Add"),
    Command("edit.cut", "Cut", _cut, ("ctrl+x",), "Edit", 1, _any, settles=True),
    Command("edit.copy", "Copy", _copy, ("ctrl+c",), "Edit", 1, _any, settles=True),
    Command("edit.paste", "Paste", _paste, ("ctrl+v",), "Edit", 1),
    Command("edit.duplicate", "Duplicate", _duplicate, ("ctrl+d",), "Edit", 1, _any, settles=True),
    Command(
        "edit.delete",
        "Delete",
        lambda a: _canvas(a).gestures.delete(),
        ("delete", "backspace"),
        "Edit",
        1,
        _anything,
        settles=True,
    ),
    Command(
        "edit.dissolve",
        "Delete and close the gap",
        lambda a: _canvas(a).gestures.delete(heal=True),
        ("ctrl+delete", "ctrl+backspace"),
        "Edit",
        1,
        _any,
        settles=True,
    ),
    Command("edit.all", "Select all", lambda a: a.session.select(a.session.here.nodes()), ("ctrl+a",), "Edit", 2),
    Command("edit.none", "Leave or select nothing", _escape, ("escape",), "Edit", 2, while_typing=True),
    Command("edit.find", "Find a node…", lambda a: _canvas(a).popups.search_nodes(), ("ctrl+f",), "Edit", 3),
    Command(
        "node.rename",
        "Rename…",
        lambda a: _canvas(a).popups.rename(a.session.chosen or ""),
        ("f2",),
        "Edit",
        4,
        _one,
    ),
    Command("node.colour", "Colour…", lambda a: _canvas(a).popups.colours(), (), "Edit", 4, _any),
    Command("node.bypass", "Bypass", _bypass, ("b",), "Edit", 4, _any),
    Command("node.mute", "Mute", _mute, ("m",), "Edit", 4, _any),
    Command("arrange.auto", "Arrange by signal flow", _arrange, ("ctrl+l",), "Arrange", 0),
    Command("arrange.left", "Align left edges", lambda a: _align(a, "left"), (), "Arrange", 1, _several),
    Command("arrange.top", "Align top edges", lambda a: _align(a, "top"), (), "Arrange", 1, _several),
    Command("arrange.across", "Space out across", lambda a: _align(a, "across"), (), "Arrange", 1, _several),
    Command("arrange.down", "Space out downwards", lambda a: _align(a, "down"), (), "Arrange", 1, _several),
    Command("arrange.frame", "Put a frame round…", _frame, ("ctrl+shift+f",), "Arrange", 2),
    Command("arrange.group", "Group", _group, ("ctrl+g",), "Arrange", 3, _any, settles=True),
    Command("arrange.ungroup", "Ungroup", _ungroup, ("ctrl+shift+g",), "Arrange", 3, _a_group, settles=True),
    Command("arrange.keep", "Keep the group as a block…", _keep, (), "Arrange", 3, _a_group, settles=True),
    Command("arrange.blocks", "My blocks…", _blocks, (), "Arrange", 3),
    Command("arrange.enter", "Enter the group", _enter, ("ctrl+enter",), "Arrange", 3, _a_group),
    Command(
        "help.commands",
        "Find a command…",
        lambda a: _canvas(a).popups.search_commands(),
        ("ctrl+shift+p", "f1"),
        "Help",
        0,
        while_typing=True,
    ),
    Command("view.all", "Show everything", lambda a: _canvas(a).show_nodes(), ("a", "shift+1"), "View", 0),
    Command(
        "view.selected",
        "Show the selection",
        lambda a: _canvas(a).show_nodes(a.session.selection),
        ("f",),
        "View",
        0,
        _any,
    ),
    Command("view.zoom-in", "Zoom in", lambda a: _zoom(a, 1), ("ctrl+plus",), "View", 0),
    Command("view.zoom-out", "Zoom out", lambda a: _zoom(a, -1), ("ctrl+minus",), "View", 0),
    Command("view.full", "Actual size", _full, ("ctrl+0",), "View", 0),
    Command("view.follow", "Follow the signal of the selection", _follow, ("s",), "View", 1),
    Command("view.latency", "Latency and compensation", lambda a: _overlay(a, "latency"), ("l",), "View", 1),
    Command("view.cost", "What nodes cost", lambda a: _overlay(a, "cost"), ("h",), "View", 1),
    Command("canvas.down", "Nudge down", lambda a: _down(a, 1), ("down",), while_typing=True),
    Command("canvas.up", "Nudge up", lambda a: _down(a, -1), ("up",), while_typing=True),
    Command("canvas.left", "Nudge left", lambda a: _nudge(a, -10, 0), ("left",), enabled=_any),
    Command("canvas.right", "Nudge right", lambda a: _nudge(a, 10, 0), ("right",), enabled=_any),
    Command(
        "canvas.take",
        "Take what is found",
        _take,
        ("enter",),
        enabled=lambda a: _canvas(a).popups.open in ("search", "frame") or _palette(a).searching,
        while_typing=True,
    ),
)
