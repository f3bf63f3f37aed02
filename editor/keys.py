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

FIELDS = ("InputText", "InputInt", "InputFloat", "InputDouble", "DragFloat", "DragInt", "SliderFloat", "SliderInt")


LATE = 2
"""After how many frames a key may be told of."""


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


def typing() -> bool:
    """Whether text is being typed somewhere."""
    item = dpg.get_focused_item()
    return bool(item) and dpg.does_item_exist(item) and _typed_in(item)


def _typed_in(item: int | str) -> bool:
    """Whether text is being typed in an item, or inside it: Dear PyGui says that the outermost group has the focus."""
    type = dpg.get_item_type(item)
    if type.endswith("mvGroup") and not dpg.is_item_active(item):
        return False
    if type.endswith(("mvGroup", "mvChildWindow", "mvWindowAppItem")):
        return any(map(_typed_in, dpg.get_item_children(item, 1) or ()))
    return any(kind in type for kind in FIELDS) and bool(dpg.is_item_active(item))
