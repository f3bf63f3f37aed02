"""The page of the patch itself, where nothing is selected: its words, rate and tempo, and notes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import dearpygui.dearpygui as dpg

from editor import fonts
from editor.faces import counted
from editor.inspector.params import BESIDE, labelled
from editor.link import Readings
from editor.model import Changes
from graph.edits import SetPatchField
from graph.errors import PatchError

if TYPE_CHECKING:
    from editor.app import App

RATES = ("As the device", "44100", "48000", "88200", "96000", "176400", "192000")
LONGEST_NOTES = 20000


class PatchPage:
    """The words of a patch, each in a field that changes it."""

    def __init__(self, app: App, width: int) -> None:
        self.app, self.width = app, width
        self._handlers: list[int | str] = []
        px, theme, parent = app.look.px, app.look.theme, "inspector:page"
        title = dpg.add_text("Patch", parent=parent)
        dpg.bind_item_font(title, fonts.font("title"))
        counts = dpg.add_text("", tag="inspector:patch:counts", color=theme.dim, parent=parent)
        dpg.bind_item_font(counts, fonts.font("small"))
        dpg.add_spacer(height=px(4), parent=parent)
        for field, label in (("name", "Name"), ("tags", "Tags")):
            item = dpg.add_text(label, color=theme.dim, parent=parent)
            dpg.bind_item_font(item, fonts.font("medium"))
            dpg.add_input_text(tag=self._tag(field), width=width, parent=parent)
            self._typed(field)
        for field, label in (("author", "Author"), ("license", "Licence")):
            with labelled(app, parent, label, width):
                dpg.add_input_text(tag=self._tag(field), width=int(width * BESIDE))
            self._typed(field)
        for field, label, lines in (("description", "Description", 92), ("notes", "Notes", 120)):
            item = dpg.add_text(label, color=theme.dim, parent=parent)
            dpg.bind_item_font(item, fonts.font("medium"))
            dpg.add_input_text(
                tag=self._tag(field), multiline=True, width=width, height=px(lines), no_horizontal_scroll=True,
                parent=parent,
            )  # fmt: skip
            self._typed(field)
        dpg.add_spacer(height=px(4), parent=parent)
        with labelled(app, parent, "Sample rate", width):
            dpg.add_combo(RATES, tag=self._tag("rate"), width=int(width * BESIDE), callback=lambda s, v: self._rate(v))
        with labelled(app, parent, "Tempo", width):
            dpg.add_input_text(tag=self._tag("tempo"), width=int(width * BESIDE))
        self._typed("tempo")
        with labelled(app, parent, "Time signature", width):
            dpg.add_input_text(tag=self._tag("meter"), width=int(width * BESIDE))
        self._typed("meter")
        self._show()

    @staticmethod
    def _tag(field: str) -> str:
        return f"inspector:patch:{field}"

    def _typed(self, field: str) -> None:
        with dpg.item_handler_registry() as handlers:
            dpg.add_item_deactivated_after_edit_handler(callback=lambda: self._take(field))
        dpg.bind_item_handler_registry(self._tag(field), handlers)
        self._handlers.append(handlers)

    def _take(self, field: str) -> None:
        patch, text = self.app.session.patch, unwrapped(str(dpg.get_value(self._tag(field))))
        try:
            change = changed(field, text, patch.transport, patch.metadata)
            if change is not None:
                self.app.session.do_at_root(SetPatchField(*change))
        except (ValueError, PatchError) as error:
            self.app.notices.say("warning", str(error)[:1].upper() + str(error)[1:])
        self._show()

    def _rate(self, text: str) -> None:
        self.app.session.do_at_root(SetPatchField("sample_rate", int(text) if text.isdigit() else None))

    def _show(self) -> None:
        patch = self.app.session.patch
        transport = patch.transport
        words = {
            "name": patch.name,
            "author": patch.author,
            "license": patch.license,
            "tags": ", ".join(patch.tags),
            "description": self._wrapped(patch.description),
            "notes": self._wrapped(str(patch.metadata.get("notes", ""))),
            "rate": RATES[0] if patch.sample_rate is None else str(patch.sample_rate),
            "tempo": f"{transport.tempo:g}",
            "meter": "/".join(map(str, transport.time_signature)),
        }
        for field, text in words.items():
            if not dpg.is_item_active(self._tag(field)):
                dpg.set_value(self._tag(field), text)
        nodes, cables = len(patch.graph), patch.graph.number_of_edges()
        most = f"{counted(nodes, 'node')}, {counted(cables, 'cable')}, {len(patch.automation)} automated"
        counts = f"{most}, {counted(len(patch.snapshots), 'snapshot')}"
        dpg.set_value("inspector:patch:counts", counts)

    def _wrapped(self, text: str) -> str:
        px, size = self.app.look.px, fonts.ROLES["body"][1] * self.app.look.scale
        return wrapped(text, lambda line: fonts.width(line, "body", size) <= self.width - px(34))

    def sync(self, changes: Changes) -> bool:
        """Follow a change."""
        self._show()
        return True

    def frame(self, now: float, readings: Readings) -> None:
        """Nothing of a patch is measured."""

    def locate(self, what: str) -> tuple[float, float, float, float] | None:
        """Items are found by their tags."""
        return None

    def free(self) -> None:
        """It is there no more."""
        for handlers in self._handlers:  # they lie in no item that goes
            dpg.delete_item(handlers)


def wrapped(text: str, fits: Callable[[str], bool]) -> str:
    """A text with its long lines broken. A break that was put in comes after a space, and so is told from others."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.rstrip().split(" "):
            longer = f"{line}{word} "
            if line and not fits(longer.rstrip()):
                lines.append(line)
                line = f"{word} "
            else:
                line = longer
        lines.append(line.rstrip())
    return "\n".join(lines)


def unwrapped(text: str) -> str:
    """A text without the breaks that ``wrapped`` put in."""
    return text.replace(" \n", " ")


def changed(field: str, text: str, transport: Any, metadata: dict[str, Any]) -> tuple[str, Any] | None:
    """The field of the patch that a typed text changes, and its new value. Raises ValueError for what cannot be."""
    match field:
        case "tags":
            return "tags", [tag for tag in (part.strip() for part in text.split(",")) if tag]
        case "notes":
            if len(text) > LONGEST_NOTES:
                raise ValueError(f"expected notes of at most {LONGEST_NOTES} letters, found {len(text)}")
            kept = {key: value for key, value in metadata.items() if key != "notes"}
            return "metadata", {**kept, "notes": text} if text else kept
        case "tempo":
            try:
                tempo = float(text.replace(",", ".").removesuffix("bpm"))
            except ValueError:
                tempo = 0.0
            if not 1.0 <= tempo <= 1000.0:
                raise ValueError(f"expected a tempo from 1 to 1000 beats per minute, found {text!r}")
            return "transport", replace(transport, tempo=tempo)
        case "meter":
            parts = [part.strip() for part in text.split("/")]
            if len(parts) != 2 or not all(part.isascii() and part.isdigit() and len(part) <= 2 for part in parts):
                raise ValueError(f"expected a time signature like 3/4, found {text!r}")
            beats, unit = map(int, parts)
            if not 1 <= beats <= 64 or unit not in (1, 2, 4, 8, 16, 32, 64):
                raise ValueError(f"expected a time signature like 3/4 or 7/8, found {text!r}")
            return "transport", replace(transport, time_signature=(beats, unit))
        case _:
            return field, text.strip()
