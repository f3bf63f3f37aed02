"""Nodes of the user's own in the editor: what there is, trust, and files that change."""
