"""``patchwright run``: a patch played in the terminal, with meters, load and keys; where there is none, in lines."""

from host.terminal.running import run

__all__ = ["run"]
