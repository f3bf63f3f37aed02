"""Audio devices: which there are, opening one by name, keeping one open, and the null device.

PortAudio is reached through sounddevice, and only when a device is asked for.
"""

from __future__ import annotations

from host.devices.kinds import Choice, Device, DeviceError, DeviceInfo, Renderer
from host.devices.opening import devices, open_device, why_none

__all__ = ["Choice", "Device", "DeviceError", "DeviceInfo", "Renderer", "devices", "open_device", "why_none"]
