"""What runs a schedule: native code, offline rendering, files, measuring.

``from host import render`` gives the function; it is imported when it is first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from host.rendering import RenderReport, render

__all__ = ["RenderReport", "render"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from host import rendering

        return getattr(rendering, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
