"""Params under other hands: OSC over the network, MIDI controllers, and what in a patch says which control moves what.

``Remote`` brings it together; everything works against the small ``Target`` protocol.
"""
