"""MIDI files, and what MIDI devices play."""
