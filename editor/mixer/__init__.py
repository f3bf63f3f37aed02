"""The mixer: a strip for everything with a level."""
