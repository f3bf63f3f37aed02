"""The window: an editor made with Dear PyGui that draws a patch and sends edits.

``model`` holds the session (patch, history, selection) and knows no window; ``app`` is the window and its loop; panels
are listed in ``panels``; ``canvas`` is where nodes are wired; ``link`` leads to the engine. The editor reads the
declarations of the registered kinds and knows no node by name. Only ``patchwright.py`` imports it.
"""
