"""The engine process and its client: ``from host import Engine``."""
