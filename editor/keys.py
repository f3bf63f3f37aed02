"""Keys as Dear PyGui numbers them, as the names that shortcuts are written with."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import dearpygui.dearpygui as dpg

_NAMED = {
    "space": dpg.mvKey_Spacebar,
    "tab": dpg.mvKey_Tab,
    "enter": dpg.mvKey_Return,
    "escape": dpg.mvKey_Escape,
    "delete": dpg.mvKey_Delete,
    "backspace": dpg.mvKey_Back,
    "home": dpg.mvKey_Home,
    "end": dpg.mvKey_End,
    "left": dpg.mvKey_Left,
    "right": dpg.mvKey_Right,
    "up": dpg.mvKey_Up,
    "down": dpg.mvKey_Down,
    "plus": dpg.mvKey_Open_Brace - 1,  # that of = and +; Dear PyGui's mvKey_Plus is of no key
    "minus": dpg.mvKey_Minus,
    "comma": dpg.mvKey_Comma,
    "period": dpg.mvKey_Period,
    "slash": dpg.mvKey_Slash,
    "[": dpg.mvKey_Open_Brace,
    "]": dpg.mvKey_Close_Brace,
}
NAMES: Mapping[int, str] = {
    **{code: name for name, code in _NAMED.items()},
    **{getattr(dpg, f"mvKey_{letter}"): letter.lower() for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"},
    **{getattr(dpg, f"mvKey_F{k}"): f"f{k}" for k in range(1, 13)},
    dpg.mvKey_NumPadEnter: "enter",
    dpg.mvKey_Add: "plus",
    dpg.mvKey_Subtract: "minus",
}

SIGNS: Mapping[str, str] = {"space": " ", "minus": "-", "comma": ",", "period": ".", "slash": "/"}
FIELDS = ("InputText", "InputInt", "InputFloat", "InputDouble", "DragFloat", "DragInt", "SliderFloat", "SliderInt")


MODIFIERS = {
    "ctrl": (dpg.mvKey_LControl, dpg.mvKey_RControl),
    "shift": (dpg.mvKey_LShift, dpg.mvKey_RShift),
    "alt": (dpg.mvKey_LAlt, dpg.mvKey_RAlt),
}


def held() -> frozenset[str]:
    """The modifiers that are held."""
    return frozenset(name for name, keys in MODIFIERS.items() if any(map(dpg.is_key_down, keys)))


def combined(held: Collection[str], key: str) -> str:
    """A key combination, as shortcuts are written."""
    return "".join(f"{name}+" for name in MODIFIERS if name in held) + key


def letter(key: str, held: Collection[str]) -> str:
    """What a key types, where that is the same on most keyboards; else nothing."""
    if held and set(held) != {"shift"}:
        return ""
    if len(key) == 1 and key.isalpha():
        return key.upper() if held else key
    return "" if held else SIGNS.get(key, key if len(key) == 1 else "")


def item(of: int | str) -> int:
    """An item's number; 0 where there is none."""
    if not of or not dpg.does_item_exist(of):
        return 0
    return int(dpg.get_alias_id(of)) if isinstance(of, str) else of


def field() -> int:
    """The field that is typed in; 0: there is none."""
    focused = item(dpg.get_focused_item())
    return _field(focused) if focused else 0


def _field(item: int) -> int:
    """The field that is typed in, if it is this or inside: Dear PyGui says that the outermost group has the focus."""
    type = dpg.get_item_type(item)
    if type.endswith("mvGroup") and not dpg.is_item_active(item):
        return 0
    if type.endswith(("mvGroup", "mvChildWindow", "mvWindowAppItem")):
        children: list[int] = dpg.get_item_children(item, 1) or []  # pyright: ignore[reportAssignmentType]
        return next(filter(None, map(_field, children)), 0)
    return item if any(kind in type for kind in FIELDS) and dpg.is_item_active(item) else 0
