"""Patches and the files they need: opened, saved, found again, collected, rendered."""
