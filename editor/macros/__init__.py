"""Macros: single knobs that move many params, each by an amount of its own."""
