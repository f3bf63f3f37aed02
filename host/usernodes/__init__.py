"""Nodes of one's own: found, trusted, loaded, checked."""
