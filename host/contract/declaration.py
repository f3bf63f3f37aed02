"""Checks of what a kind says of itself, and of the machine code it becomes."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator

from graph.layouts import LAYOUTS
from graph.schedule import CompiledNode
from graph.spec import Kernel, Memory, Node, Param, ParamBank, Port
from host.catalogue import described
from host.contract.bench import Files
from host.contract.rig import Subject
from host.contract.variants import Variant, params
from host.native.abi import RESERVED, signature
from host.native.source import KernelError
from host.native.store import library

FAMILIES = {"input", "mix", "space", "dynamics", "tone", "time", "control", "analysis", "plugin", "utility"}
UNITS = {"_db": "dB", "_hz": "Hz", "_ms": "ms", "_s": "s"}
PLAIN_PORTS = {"in", "out", *(label for labels in LAYOUTS.values() for label in labels)}
"""Ports that need no explanation: those named after channels are what they say."""

FORBIDDEN = (
    b"NRT_",
    b"PyErr",
    b"PyGIL",
    b"PyObj",
    b"malloc",
    b"calloc",
    b"realloc",
    b"_Unwind",
    b"__cxa",
    b"patchwright_raised",
)
"""What the object code must not name: allocation, the interpreter, exceptions."""


def declared(subject: Subject) -> Iterator[str]:
    """Everything a user or a tool needs to know is there, and agrees with itself."""
    kind = subject.kind
    if not re.fullmatch(r"[a-z][a-z0-9_]*", kind.kind):
        yield f"the name {kind.kind!r} is not lower case with underscores"
    if not re.fullmatch(r"[A-Z].{9,118}\.", kind.summary()):
        yield f"the summary {kind.summary()!r} is no short sentence"
    if kind.family not in FAMILIES:
        yield f"there is no family {kind.family!r}"
    try:
        json.loads(json.dumps(described(kind), allow_nan=False))
    except (TypeError, ValueError) as error:
        yield f"the catalogue's entry is no JSON: {error}"
    for setting in kind.settings_declared():
        if not setting.doc:
            yield f"the setting {setting.name} is not explained"
        if setting.check(setting.default) != setting.default:
            yield f"the setting {setting.name} does not accept its own default"
    yield from _arguments(subject)
    if not subject.structures:
        yield "no structure that was tried is accepted"
    for structure in subject.structures:
        ports = kind.ports({s.name: s.default for s in kind.settings_declared()} | dict(structure.settings))
        yield from _ports(ports)
        yield from _params(params(kind, structure), {p.name for p in ports if p.flow == "in"})
    tried = [subject.compiled(v) for v in subject.variants]
    if any(remembers_abreast(kind, node) for node in tried if node is not None):
        yield "it is wide, and has memory"
    for node in tried:
        assert node is not None
        tail = kind.tail(node.config)
        if not tail >= 0.0:
            yield f"a tail of {tail} s"
        latency = kind.latency(node.config)
        if not isinstance(latency, int) or latency < 0:
            yield f"a latency of {latency!r} frames"
        if kind.accumulates and len(subject.outputs(node)) != 1:
            yield "it accumulates, and has not one output"


def remembers_abreast(kind: type[Node], node: CompiledNode) -> bool:
    """Whether a node may stand side by side with others, and has memory, which only nodes that run alone can have."""
    if not kind.wide or kind.alone(node.config) or not any(isinstance(f, Memory) for f in kind.declared.values()):
        return False
    return any(array.size for array in kind.prepare(node.config, Files(int(node.config.rate))).values())


def _ports(ports: tuple[Port, ...]) -> Iterator[str]:
    for port in ports:
        if not port.doc and port.name not in PLAIN_PORTS:
            yield f"the port {port.name} is not explained"
        if [p.name for p in ports].count(port.name) > 1:
            yield f"there are two ports {port.name}"


def _params(found: list[Param], taken: set[str]) -> Iterator[str]:
    names = [p.name for p in found]
    for param in found:
        if not param.doc:
            yield f"the param {param.name} is not explained"
        if names.count(param.name) > 1 or param.name in taken:
            yield f"the name of the param {param.name} is taken"
        unit = next((unit for ending, unit in UNITS.items() if param.name.endswith(ending)), param.unit)
        if param.unit != unit:
            yield f"the param {param.name} is in {param.unit!r}, by its name in {unit}"
        if not all(math.isfinite(x) for x in (param.low, param.default, param.high)) or param.low >= param.high:
            yield f"the param {param.name} has no range"
        if param.curve == "choice" and len(param.choices) != param.high - param.low + 1:
            yield f"the param {param.name} does not name its choices"


def _arguments(subject: Subject) -> Iterator[str]:
    """Every argument of a kernel is declared, and everything declared reaches a kernel."""
    kind = subject.kind
    kernels = [k for k in (getattr(kind, name, None) for name in ("process", "emit", "absorb")) if k is not None]
    if not all(isinstance(k, Kernel) for k in kernels) or not isinstance(getattr(kind, "process", None), Kernel):
        yield "it has no kernel"
        return
    used = {name for k in kernels for name in k.arguments}
    for name in sorted(used - set(RESERVED) - set(kind.declared)):
        yield f"the kernel's argument {name} is not declared"
    for name, item in kind.declared.items():
        still = isinstance(item, Param) and not item.modulatable
        heard = hasattr(item, "dtype") or isinstance(item, Port | Param | ParamBank) or hasattr(item, "serves")
        if heard and not still and name not in used:
            yield f"{name} is declared, and no kernel uses it"


def native(subject: Subject) -> Iterator[str]:
    """It compiles, and the code needs nothing that allocates, raises or calls the interpreter."""
    kind = subject.kind
    for structure in subject.structures:
        node = subject.compiled(Variant(structure))
        assert node is not None
        for name in ("process", "emit", "absorb"):
            kernel = getattr(kind, name, None)
            if kernel is None:
                continue
            try:
                code = library().object(kernel, signature(kind, kernel.arguments, node.config))
            except KernelError as error:
                yield str(error)
                continue
            yield from named(code)


def named(code: bytes) -> Iterator[str]:
    """What an object names and must not."""
    for word in FORBIDDEN:
        if word in code:
            yield f"the object code names {word.decode()}"
