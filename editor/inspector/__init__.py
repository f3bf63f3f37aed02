"""The inspector: what is selected, in full."""
