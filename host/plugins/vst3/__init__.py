"""Our native VST3 host, written from the published interface."""
