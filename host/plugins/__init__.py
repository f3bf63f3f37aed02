"""Plugins: found, described, loaded in processes of their own, and played."""
