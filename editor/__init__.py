"""The window: a Dear PyGui node editor that draws a patch and sends edits.

What will live here: the canvas and its cables, the palette, the inspector, meters and curves, undo history, autosave,
and the link to the engine process. The editor reads the declarations of the registered kinds and knows no node by name.
It may import `host`, `nodes` and `graph`; only `patchwright.py` imports it.
"""
