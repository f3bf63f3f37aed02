"""Plugins in the editor: what scans found, the browser, the inspector's part of a plugin node, their windows."""
