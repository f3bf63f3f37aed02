"""The system's clipboard, as text.

``dpg.get_clipboard_text`` ends the process where the clipboard is empty or holds a picture: it makes a C++ string of
the null pointer that the window library answers with. So what is there is looked at first.
"""

from __future__ import annotations

import ctypes
import subprocess
import sys
from functools import cache

import dearpygui._dearpygui as native
import dearpygui.dearpygui as dpg

UNICODE_TEXT = 13
"""What Windows calls text (CF_UNICODETEXT)."""
PATIENCE_S = 2.0


def put(text: str) -> None:
    """Let the clipboard hold a text."""
    dpg.set_clipboard_text(text)


def text() -> str:
    """What the clipboard holds, if it is text; else nothing."""
    if sys.platform == "win32":
        is_text = ctypes.windll.user32.IsClipboardFormatAvailable(UNICODE_TEXT)
        return dpg.get_clipboard_text() if is_text else ""
    if sys.platform == "darwin":
        return subprocess.run(["pbpaste"], capture_output=True, timeout=PATIENCE_S).stdout.decode(errors="replace")
    found: bytes | None = _reader()(None)
    return found.decode(errors="replace") if found else ""


@cache
def _reader() -> ctypes._NamedFuncPointer:
    """GLFW's own ``glfwGetClipboardString``, which answers null where there is no text."""
    reader = ctypes.CDLL(native.__file__).glfwGetClipboardString
    reader.argtypes, reader.restype = [ctypes.c_void_p], ctypes.c_char_p
    return reader
