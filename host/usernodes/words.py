"""What the compiler has against a kernel, in one sentence that its author can act upon."""

from __future__ import annotations

import os
import re

from host.native.source import KernelError

LONGEST = 300
VIEW = re.compile(r"View\(Access\(argument=Argument\(name='(\w+)', mode='(\w+)'.*?checked=(?:True|False)\)\)")
PLACES = (re.compile(r" at ([^<>\n]+?\.py) \((\d+)\)"), re.compile(r'File "([^<>"\n]+?\.py)", line (\d+)'))
NO_FORM = re.compile(r">>> (\w+)\((.*)\)")
OUTSIDE = re.compile(r"can raise an exception|nothing may allocate")
INSTEAD = "lists, strings, print, raise and new arrays do; State, Memory and Scratch do not"


def compiler_words(error: KernelError) -> str:
    """The reason, shortened, with the file and line that it is about where the compiler says which."""
    if error.__cause__ is None:
        return f"{error}: {INSTEAD}" if OUTSIDE.search(str(error)) else str(error)
    text = str(error.__cause__)
    modes = dict(VIEW.findall(text))
    text = VIEW.sub(r"\1", text)
    place = next((found for pattern in PLACES if (found := pattern.search(text))), None)
    where = f"{os.path.abspath(place[1])}:{place[2]}: " if place else ""
    return where + _reason(text, modes)[:LONGEST]


def _reason(text: str, modes: dict[str, str]) -> str:
    form = NO_FORM.search(text)
    if form is None:
        skipped = ("Failed in", "During:", "File ", "- ", "<source")
        lines = (line.strip() for line in text.splitlines())
        return next((line for line in lines if line and not line.startswith(skipped)), "it cannot be compiled")
    name, rest = form[1], form[2]
    first = rest.partition(", ")[0]
    if name not in ("getitem", "setitem") or first not in modes:
        return f"there is no {name}({rest})"
    if name == "getitem" and modes[first] in ("out", "add"):
        return f"{first} cannot be read: outputs can only be written"
    if name == "setitem" and modes[first] in ("in", "param", "bank"):
        return f"{first} cannot be written: inputs and params can only be read"
    return f"expected {first}[frame, lane], or as many indices as {first} has dimensions"
