"""The menu bar, from the table of commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg

from editor.commands import Command, shown

if TYPE_CHECKING:
    from editor.app import App


class MenuBar:
    """Menus; what cannot be done is grey."""

    def __init__(self, app: App) -> None:
        self.app = app

    def build(self) -> None:
        """Make the menus."""
        self._can: dict[str, bool] = {}
        with dpg.menu_bar(tag="menus", parent="window"):
            for title, commands in self.app.commands.menus().items():
                if not commands:
                    continue
                with dpg.menu(label=title, tag=f"menu:{title}"):
                    dpg.bind_item_theme(f"menu:{title}", "theme:menu")  # else it has the window's, which has no margins
                    group = commands[0].group
                    for command in commands:
                        if command.group != group:
                            dpg.add_separator()
                            group = command.group
                        self._item(command)

    def _item(self, command: Command) -> None:
        keys = self.app.commands.keys_of(command.id)
        dpg.add_menu_item(
            label=command.title,
            shortcut=f"   {shown(keys[0])}" if keys else "",
            tag=f"menu-item:{command.id}",
            callback=lambda: self.app.command(command.id),
        )

    def sync(self) -> None:
        """Grey what cannot be done now."""
        for command in self.app.commands:
            item = f"menu-item:{command.id}"
            can = command.enabled(self.app)
            if self._can.get(command.id) != can and dpg.does_item_exist(item):
                self._can[command.id] = can
                dpg.configure_item(item, enabled=can)
