"""Loudness (ITU-R BS.1770, EBU R 128), true peak and plain levels."""

from host.loudness.meter import ChannelLevels, Loudness, LoudnessError, LoudnessMeter, channel_weight

__all__ = ["ChannelLevels", "Loudness", "LoudnessError", "LoudnessMeter", "channel_weight"]
