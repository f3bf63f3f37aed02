"""What runs a schedule: native code, offline rendering, the live engine, files, measuring.

``from host import render, Engine`` gives them; they are imported when they are first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from host.engine.client import Engine
    from host.rendering import RenderReport, render

__all__ = ["Engine", "RenderReport", "render"]


def __getattr__(name: str) -> Any:
    if name == "Engine":
        from host.engine.client import Engine

        return Engine
    if name in __all__:
        from host import rendering

        return getattr(rendering, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
