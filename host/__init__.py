"""What runs a patch: native engine, files, devices, rendering."""
