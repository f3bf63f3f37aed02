"""Params under other hands: which control moves which, learned and kept, and the MIDI devices there are."""
