"""Everything that can be commanded, in one table: menus, command search, shortcuts and keys derive from it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from editor.app import App

MENUS = ("File", "Edit", "Add", "Arrange", "View", "Sound", "Help")
MODIFIERS = ("ctrl", "shift", "alt")


def always(app: App) -> bool:
    """Whether a command that can always be done can be done."""
    return True


@dataclass(frozen=True, slots=True)
class Command:
    """Something a person can ask for. ``keys`` are like ``ctrl+shift+z``; the first is shown in menus.

    ``menu`` is one of MENUS, or empty for no menu; ``group`` puts a line between groups of a menu.
    """

    id: str
    title: str
    action: Callable[[App], object]
    keys: tuple[str, ...] = ()
    menu: str = ""
    group: int = 0
    enabled: Callable[[App], bool] = always
    while_typing: bool = False
    """Whether the keys also work while text is being typed."""
    settles: bool = False
    """Whether the patch must first have what was done in plugins' windows."""


def normal(keys: str) -> str:
    """A key combination in its one form: modifiers in order, lower case."""
    *modifiers, key = keys.lower().replace(" ", "").split("+")
    return "+".join([m for m in MODIFIERS if m in modifiers] + [key])


def shown(keys: str) -> str:
    """A key combination as menus show it."""
    return "+".join(part.capitalize() for part in keys.split("+"))


class Commands:
    """The table: commands by id, and by keys. Two commands with one key are refused with ValueError."""

    def __init__(self, commands: Iterable[Command] = ()) -> None:
        self._by_id: dict[str, Command] = {}
        self._by_keys: dict[str, str] = {}
        self._keys: dict[str, tuple[str, ...]] = {}
        for command in commands:
            self.add(command)

    def add(self, command: Command) -> None:
        """Put a command into the table."""
        if command.id in self._by_id:
            raise ValueError(f"there are two commands {command.id}")
        self._by_id[command.id] = command
        self.bind(command.id, command.keys)

    def bind(self, id: str, keys: Iterable[str]) -> None:
        """Give a command other keys. Raises ValueError where one is taken."""
        wanted = tuple(map(normal, keys))
        for key in wanted:
            if self._by_keys.get(key, id) != id:
                raise ValueError(f"{shown(key)} is taken by {self._by_id[self._by_keys[key]].title}")
        self._by_keys = {key: owner for key, owner in self._by_keys.items() if owner != id}
        self._by_keys |= dict.fromkeys(wanted, id)
        self._keys[id] = wanted

    def __iter__(self):
        return iter(self._by_id.values())

    def __getitem__(self, id: str) -> Command:
        return self._by_id[id]

    def __contains__(self, id: object) -> bool:
        return id in self._by_id

    def keys_of(self, id: str) -> tuple[str, ...]:
        """The keys of a command."""
        return self._keys.get(id, ())

    def by_keys(self, keys: str) -> Command | None:
        """The command of a key combination."""
        id = self._by_keys.get(normal(keys))
        return self._by_id[id] if id else None

    def menus(self) -> Mapping[str, list[Command]]:
        """Commands by menu, in groups."""
        found: dict[str, list[Command]] = {menu: [] for menu in MENUS}
        for command in self:
            if command.menu:
                found[command.menu].append(command)
        return {menu: sorted(listed, key=lambda c: c.group) for menu, listed in found.items()}


def matching(commands: Iterable[Command], typed: str) -> list[Command]:
    """Commands whose titles have every word that was typed, those that begin with it first."""
    words = typed.lower().split()
    found = [c for c in commands if all(word in f"{c.menu} {c.title}".lower() for word in words)]
    return sorted(found, key=lambda c: not c.title.lower().startswith(typed.lower().strip()))


def arity(callback: Callable[..., object]) -> int:
    """How many of item, value and user data a callback takes."""
    parameters = inspect.signature(callback).parameters.values()
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return 3
    # what has a default is the callback's own: Dear PyGui must not put its user data there
    return sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.default is p.empty for p in parameters)
