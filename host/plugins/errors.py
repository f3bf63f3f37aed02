"""What goes wrong with plugins."""


class PluginError(ValueError):
    """A plugin did not do what was asked; the message names the plugin, the call and what was expected."""
