"""Helpers that kernels share. Nothing here is a kind, and nothing here imports a compiler."""
