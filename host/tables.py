"""What the command line prints, where words in columns read better than JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from host.commands import printable


def _console() -> Console:
    return Console(highlight=False, soft_wrap=True)


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, justify="right" if column.startswith(">") else "left", no_wrap=column.startswith(">"))
        table.columns[-1].header = column.lstrip(">")
    return table


def _number(value: float) -> str:
    return f"{value:g}"


def print_catalogue(kinds: Sequence[Mapping[str, Any]]) -> None:
    """One line for each kind."""
    table = _table("kind", "family", "what it does")
    for kind in kinds:
        table.add_row(kind["kind"], kind["family"], kind["doc"])
    _console().print(table)


def print_kind(kind: Mapping[str, Any]) -> None:
    """One kind in full."""
    console = _console()
    console.print(f"{kind['kind']}: {kind['doc']}", markup=False)
    ports = _table("port", "flow", "type", "layout", "what")
    for port in kind["ports"]:
        ports.add_row(port["name"], port["flow"], port["type"], port["layout"], port["doc"])
    settings = _table("setting", "default", "what it may be", "what")
    for setting in kind["settings"]:
        allowed = ", ".join(setting["choices"]) or setting["type"]
        settings.add_row(setting["name"], str(setting["default"]), allowed, setting["doc"])
    params = _table("param", ">default", ">low", ">high", "unit", "curve", "what")
    for param in kind["params"]:
        words = param["doc"] + (
            f" ({', '.join(f'{k} {c}' for k, c in enumerate(param['choices']))})" if param["choices"] else ""
        )
        params.add_row(
            param["name"],
            *(_number(param[k]) for k in ("default", "low", "high")),
            param["unit"],
            param["curve"],
            words,
        )
    for table in (ports, settings, params):
        if table.row_count:
            console.print()
            console.print(table)


def _shown(value: Any) -> Any:
    """Plain data whose text a terminal may have."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, Mapping):
        return {_shown(key): _shown(each) for key, each in value.items()}
    return [_shown(each) for each in value] if isinstance(value, list) else value


def print_patch(document: Mapping[str, Any]) -> None:
    """A patch: its nodes, what is set on them, and what goes where."""
    console, document = _console(), _shown(document)
    name = document.get("name") or "untitled"
    rate = document.get("sample_rate")
    console.print(f"{name}{f' ({rate} Hz)' if rate else ''}", markup=False, style="bold")
    if document.get("description"):
        console.print(document["description"], markup=False)
    nodes = _table("node", "kind", "values")
    for id, node in sorted(document["nodes"].items()):
        values = [f"{k}={_brief(v)}" for k, v in sorted({**node.get("settings", {}), **node.get("params", {})}.items())]
        values += [word for word in ("bypass", "mute") if node.get(word)]
        nodes.add_row(id, node["kind"], " ".join(values))
    console.print(nodes, markup=False)
    for cable in sorted(document["cables"], key=lambda c: (c["from"], c["to"])):
        extra = (
            " (feedback)"
            if cable.get("feedback")
            else f" (× {cable['amount']:g})"
            if cable.get("amount") is not None
            else ""
        )
        console.print(f"{cable['from']} -> {cable['to']}{extra}", markup=False)
    for line in document.get("automation", []):
        console.print(f"automation of {line['node']}.{line['param']}: {len(line['points'])} points", markup=False)
    if document.get("snapshots"):
        console.print(f"snapshots: {', '.join(sorted(document['snapshots']))}", markup=False)


def _brief(value: Any) -> str:
    if isinstance(value, float):
        return _number(value)
    text = str(value)
    return text if len(text) <= 40 else text[:37] + "…"


def print_measurements(results: Sequence[Mapping[str, Any]]) -> None:
    """Loudness and levels of files, a line each, and of their channels below."""
    table = _table("file", ">LUFS", ">max M", ">max S", ">LRA LU", ">dBTP", ">peak dB", ">RMS dB", ">DC")
    keys = (
        "integrated_lufs",
        "momentary_max_lufs",
        "short_term_max_lufs",
        "range_lu",
        "true_peak_dbtp",
        "peak_dbfs",
        "rms_dbfs",
    )
    for result in results:
        table.add_row(result["file"], *(_level(result[k]) for k in keys), f"{result['dc']:.6f}")
        if len(result["channels"]) > 1:
            for channel in result["per_channel"]:
                table.add_row(
                    f"  {channel['channel']}",
                    "",
                    "",
                    "",
                    "",
                    *(_level(channel[k]) for k in keys[4:]),
                    f"{channel['dc']:.6f}",
                )
    _console().print(table)


def _level(value: float | None) -> str:
    return "-inf" if value is None else f"{value:.1f}"
