"""A patch as a picture: an SVG with nodes, ports and cables."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from graph.document import Cable, NodeEntry, Patch
from graph.spec import Kinds, Param

WIDTH, HEADER, ROW, COLUMN, GAP, MARGIN = 168, 26, 18, 236, 28, 24
FAMILY_COLOURS = {
    "input": "#3f7fbf",
    "mix": "#5a6b7b",
    "space": "#7a5aa6",
    "dynamics": "#b3653a",
    "tone": "#3f8f6b",
    "time": "#8a6d3b",
    "control": "#a64d79",
    "analysis": "#4f8a8b",
    "utility": "#6b6b6b",
}
CABLE_COLOURS = {
    "audio": "#7fb2e5",
    "sidechain": "#e5a06f",
    "control": "#e07fb2",
    "events": "#b2e07f",
    "feedback": "#e5dc6f",
}


class _Box:
    """A node's place and size, and where its ports are."""

    def __init__(
        self, id: str, entry: NodeEntry, inputs: list[tuple[str, str]], outputs: list[tuple[str, str]], notes: list[str]
    ) -> None:
        self.id, self.entry, self.inputs, self.outputs, self.notes = id, entry, inputs, outputs, notes
        self.height = HEADER + ROW * max(len(inputs), len(outputs), 1) + ROW * len(notes) + 8
        self.x = self.y = 0.0

    def port(self, name: str, side: str) -> tuple[float, float]:
        names = [n for n, _ in (self.inputs if side == "in" else self.outputs)]
        row = names.index(name) if name in names else 0
        return self.x + (WIDTH if side == "out" else 0), self.y + HEADER + ROW * row + ROW / 2 + 2


def svg(patch: Patch, kinds: Kinds) -> str:
    """The picture as SVG text. Positions are the patch's own where every node has one, else left to right by signal
    flow.
    """
    cables = patch.cables()
    boxes = {id: _box(id, entry, kinds, cables) for id, entry in sorted(patch.nodes().items())}
    if all(box.entry.position for box in boxes.values()):
        for box in boxes.values():
            assert box.entry.position is not None
            box.x, box.y = box.entry.position
    else:
        _arrange(boxes, cables)
    left, top = min((b.x for b in boxes.values()), default=0), min((b.y for b in boxes.values()), default=0)
    for box in boxes.values():
        box.x, box.y = box.x - left + MARGIN, box.y - top + MARGIN
    width = max((b.x + WIDTH for b in boxes.values()), default=0) + MARGIN
    height = max((b.y + b.height for b in boxes.values()), default=0) + MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" '
        'font-family="Inter, Segoe UI, Helvetica, Arial, sans-serif" font-size="11">',
        f"<title>{escape(patch.name or 'Patch')}</title>",
        '<rect width="100%" height="100%" fill="#1e2126"/>',
    ]
    parts += [
        _cable(cable, boxes, kinds)
        for cable in sorted(cables, key=lambda c: (c.source, c.source_port, c.target, c.target_port))
    ]
    parts += [_node(box, kinds) for box in boxes.values()]
    return "\n".join([*parts, "</svg>", ""])


def _box(id: str, entry: NodeEntry, kinds: Kinds, cables: list[Cable]) -> _Box:
    kind = kinds.get(entry.kind)
    if kind is None:
        inputs = [(p, "audio") for p in sorted({c.target_port for c in cables if c.target == id})]
        outputs = [(p, "audio") for p in sorted({c.source_port for c in cables if c.source == id})]
        return _Box(id, entry, inputs, outputs, [])
    settings = {s.name: s.default for s in kind.settings_declared()} | dict(entry.settings)
    ports = kind.ports(settings)
    inputs = [(p.name, p.type) for p in ports if p.flow == "in"]
    params = {p.name: p for p in kind.params(settings)}
    moved = sorted({c.target_port for c in cables if c.target == id and c.target_port in params})
    inputs += [(name, "control") for name in moved]
    notes = [
        _value(params[name], value)
        for name, value in sorted(entry.params.items())
        if name in params and name not in moved
    ][:5]
    return _Box(id, entry, inputs, [(p.name, p.type) for p in ports if p.flow == "out"], notes)


def _value(param: Param, value: float) -> str:
    if param.choices and 0 <= int(value) < len(param.choices):
        return f"{param.name} {param.choices[int(value)]}"
    name = param.name.removesuffix("_" + param.unit.lower()) if param.unit else param.name
    return f"{name} {value:g} {param.unit}".strip()


def _arrange(boxes: Mapping[str, _Box], cables: list[Cable]) -> None:
    """Columns by the longest way from a source; in a column, by id."""
    depth = dict.fromkeys(boxes, 0)
    ordinary = [c for c in cables if not c.feedback and c.source in boxes and c.target in boxes]
    for _ in boxes:
        moved = False
        for cable in ordinary:
            if depth[cable.target] < depth[cable.source] + 1 <= len(boxes):
                depth[cable.target] = depth[cable.source] + 1
                moved = True
        if not moved:
            break
    below: dict[int, float] = {}
    for id, box in boxes.items():
        box.x = depth[id] * COLUMN
        box.y = below.get(depth[id], 0.0)
        below[depth[id]] = box.y + box.height + GAP


def _cable(cable: Cable, boxes: Mapping[str, _Box], kinds: Kinds) -> str:
    if cable.source not in boxes or cable.target not in boxes:
        return ""
    target = boxes[cable.target]
    x1, y1 = boxes[cable.source].port(cable.source_port, "out")
    x2, y2 = target.port(cable.target_port, "in")
    kind = "feedback" if cable.feedback else dict(target.inputs).get(cable.target_port, "audio")
    bend = max(48.0, abs(x2 - x1) / 2)
    dash = ' stroke-dasharray="5 4"' if cable.feedback or kind == "control" else ""
    path = f"M{x1:g} {y1:g} C{x1 + bend:g} {y1:g} {x2 - bend:g} {y2:g} {x2:g} {y2:g}"
    return f'<path d="{path}" fill="none" stroke="{CABLE_COLOURS[kind]}" stroke-width="2" opacity="0.85"{dash}/>'


def _node(box: _Box, kinds: Kinds) -> str:
    kind = kinds.get(box.entry.kind)
    colour = FAMILY_COLOURS.get(kind.family if kind else "", "#8a3b3b")
    x, y = box.x, box.y
    title = box.entry.title or box.id
    opacity = ' opacity="0.45"' if box.entry.bypass or box.entry.mute else ""
    lines = [
        f"<g{opacity}>",
        f'<rect x="{x:g}" y="{y:g}" width="{WIDTH}" height="{box.height}" rx="5" fill="#2b2f36" stroke="#454b55"/>',
        f'<path d="M{x:g} {y + HEADER:g} v-{HEADER - 5} a5 5 0 0 1 5 -5 h{WIDTH - 10} a5 5 0 0 1 5 5 v{HEADER - 5} z" '
        f'fill="{colour}"/>',
        f'<text x="{x + 8:g}" y="{y + 17:g}" fill="#fff" font-weight="600">{escape(_short(title, 17))}</text>',
        f'<text x="{x + WIDTH - 8:g}" y="{y + 17:g}" fill="#fff" opacity="0.7" text-anchor="end" '
        f'font-size="9">{escape(_short(box.entry.kind, 14))}</text>',
    ]
    for side, ports in (("in", box.inputs), ("out", box.outputs)):
        for name, type_ in ports:
            px, py = box.port(name, side)
            anchor, shift = ("start", 9) if side == "in" else ("end", -9)
            lines.append(f'<circle cx="{px:g}" cy="{py:g}" r="4" fill="{CABLE_COLOURS[type_]}" stroke="#1e2126"/>')
            lines.append(
                f'<text x="{px + shift:g}" y="{py + 4:g}" fill="#c8ccd4" text-anchor="{anchor}">{escape(name)}</text>'
            )
    first = y + HEADER + ROW * max(len(box.inputs), len(box.outputs), 1) + 14
    for k, note in enumerate(box.notes):
        lines.append(
            f'<text x="{x + 9:g}" y="{first + ROW * k:g}" fill="#8d95a3" font-size="10">'
            f"{escape(_short(note, 28))}</text>"
        )
    return "\n".join([*lines, "</g>"])


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
