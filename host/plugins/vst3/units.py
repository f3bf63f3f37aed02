"""What a VST3 plugin says of its units, the groups that its params are in, and of its lists of programs."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from ctypes import c_int32, c_void_p
from dataclasses import dataclass, field
from typing import Any

from host.plugins.vst3 import com
from host.plugins.vst3.com import Remote

ROOT, NOBODY = 0, -1
"""The unit that holds all others; and the id of a unit, or a list, that there is not."""
MOST_UNITS = 4096
MOST_PROGRAMS = 1024
"""Of one list; what is beyond is left out."""
DEEPEST = 8
BETWEEN = " / "


@dataclass(frozen=True, slots=True)
class Units:
    """The units of a plugin by their ids, and the names in its lists of programs by theirs."""

    names: Mapping[int, str] = field(default_factory=dict[int, str])
    parents: Mapping[int, int] = field(default_factory=dict[int, int])
    lists: Mapping[int, int] = field(default_factory=dict[int, int])
    """The list of programs that a unit has."""
    programs: Mapping[int, tuple[str, ...]] = field(default_factory=dict[int, tuple[str, ...]])

    def path(self, unit: int) -> str:
        """The names of a unit and those around it, the outermost first; nothing for what is in no unit."""
        found: list[str] = []
        while unit not in (ROOT, NOBODY) and unit in self.names and len(found) < DEEPEST:
            found.insert(0, self.names[unit])
            unit = self.parents[unit]
        return BETWEEN.join(name for name in found if name)

    def programs_of(self, unit: int, count: int) -> tuple[str, ...]:
        """The names of a unit's programs, where it has so many."""
        found = self.programs.get(self.lists.get(unit, NOBODY), ())
        return found if len(found) == count else ()


def units_of(controller: Remote) -> Units:
    """All of them; none where the plugin does not speak of any, or not sensibly."""
    info = controller.query(com.UNITS)
    if info is None:
        return Units()
    try:
        programs = dict(_lists(info))
        rows = [each for k in range(_count(info, com.UNIT_COUNT)) if (each := _unit(info, k))]
        return Units(
            {id: name for id, _, name, _ in rows},
            {id: parent for id, parent, _, _ in rows},
            {id: programs_id for id, _, _, programs_id in rows},
            programs,
        )
    finally:
        info.release()


def _count(info: Remote, slot: int) -> int:
    count = info.call(slot)
    return count if 0 <= count <= MOST_UNITS else 0


def _told(info: Remote, slot: int, at: int, into: Any) -> bool:
    return info.call(slot, at, ctypes.byref(into), types=(c_int32, c_void_p)) == com.OK


def _unit(info: Remote, at: int) -> tuple[int, int, str, int] | None:
    unit = com.UnitInfo()
    return (unit.id, unit.parent, com.text16(unit.name), unit.list) if _told(info, com.UNIT_INFO, at, unit) else None


def _lists(info: Remote) -> list[tuple[int, tuple[str, ...]]]:
    found: list[tuple[int, tuple[str, ...]]] = []
    for at in range(_count(info, com.LIST_COUNT)):
        told = com.ProgramListInfo()
        if _told(info, com.LIST_INFO, at, told):
            names = (_program(info, told.id, k) for k in range(max(0, min(told.count, MOST_PROGRAMS))))
            found.append((told.id, tuple(name or f"Program {k + 1}" for k, name in enumerate(names))))
    return found


def _program(info: Remote, list_: int, at: int) -> str:
    name = com.Unit16()
    code = info.call(com.PROGRAM_NAME, list_, at, ctypes.byref(name), types=(c_int32, c_int32, c_void_p))
    return com.text16(name) if code == com.OK else ""
