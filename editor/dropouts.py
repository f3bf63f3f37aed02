"""Where sound dropped out: when, and which nodes took longest then."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import strftime
from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg

from editor import fonts
from editor.files.dialog import Dialog, Tag
from editor.snapshots.compare import clock
from editor.troubles import show_node

if TYPE_CHECKING:
    from editor.app import App

MOST = 100
HEAVIEST = 2
BUSY = 0.5
"""From this share of the time there is on, the nodes are the likely cause."""

COLUMNS = (("Time", 90), ("Place", 90), ("Blocks", 70), ("Load", 70), ("Took longest", 380))

Costs = Mapping[str, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Dropout:
    """Blocks that came too late, one soon after another. ``load`` and shares are of the time there is."""

    when: str
    place_s: float
    blocks: int
    load: float
    heaviest: tuple[tuple[str, float], ...]
    """Addresses of nodes and what they took at worst, the heaviest first."""

    @property
    def words(self) -> str:
        """The likely cause."""
        if not self.heaviest or self.load < BUSY:
            return "The nodes were in time; something else kept the system busy."
        return "The nodes took too long together."


class Dropouts:
    """Keeps them, from the counts that the engine gives."""

    def __init__(self) -> None:
        self.listed: deque[Dropout] = deque(maxlen=MOST)
        self._count = 0

    def follow(self, count: int, place_s: float, worst: float, costs: Callable[[], Costs]) -> None:
        """So many blocks were late so far. A count that is less than before is where one begins anew."""
        before, self._count = self._count, count
        if count <= before:
            return
        heaviest = sorted(((node, cost[1]) for node, cost in costs().items()), key=lambda row: -row[1])[:HEAVIEST]
        self.listed.append(Dropout(strftime("%H:%M:%S"), place_s, count - before, worst, tuple(heaviest)))


class DropoutsDialog(Dialog):
    """The list of them, the newest first; a node in it can be looked at."""

    id, title, size = "dropouts", "Where sound dropped out", (760, 470)

    def __init__(self, app: App, dropouts: Dropouts) -> None:
        super().__init__(app)
        self.dropouts = dropouts

    def body(self, parent: Tag) -> None:
        look = self.app.look
        px, theme, listed = look.px, look.theme, list(reversed(self.dropouts.listed))
        total = sum(each.blocks for each in listed)
        block = self.app.sound.state.device.block if self.app.sound.state.device is not None else 0
        words = "Nothing has dropped out since this window opened."
        if listed:
            words = f"{total} block{'s' if total > 1 else ''} of {block} frames came too late. {listed[0].words}"
        dpg.add_text(words, color=theme.dim, wrap=px(720), parent=parent)
        with dpg.table(
            parent=parent, height=-px(72), borders_innerH=True, policy=dpg.mvTable_SizingFixedFit, scrollY=True
        ):
            for title, width in COLUMNS:
                dpg.add_table_column(label=title, init_width_or_weight=px(width))
            for number, each in enumerate(listed):
                self._row(number, each)
        note = dpg.add_text("A larger block gives everything more time, and adds latency.", color=theme.dim,
                            parent=parent)  # fmt: skip
        dpg.bind_item_font(note, fonts.font("small"))
        self.buttons(
            ("settings", "Settings…", self._settings, ""), ("close", "Close", self.close, "theme:accent"), parent=parent
        )

    def _row(self, number: int, each: Dropout) -> None:
        theme, px = self.app.look.theme, self.app.look.px
        with dpg.table_row():
            dpg.add_text(each.when, color=theme.dim)
            dpg.add_text(clock(each.place_s))
            dpg.add_text(str(each.blocks), color=theme.bad)
            dpg.add_text(f"{each.load:.0%}", color=theme.warn if each.load > BUSY else theme.dim)
            with dpg.group(horizontal=True, horizontal_spacing=px(6)):
                for k, (node, share) in enumerate(each.heaviest):
                    tag = self.tag(f"show:{number}:{k}")
                    dpg.add_button(label=f"{node}   {share:.1%}", tag=tag, small=True, user_data=node,
                                   callback=lambda _, __, chosen: self._show(chosen))  # fmt: skip

    def _show(self, address: str) -> None:
        self.close()
        show_node(self.app, address)

    def _settings(self) -> None:
        self.close()
        self.app.command("file.settings")

    def accept(self) -> None:
        self.close()
