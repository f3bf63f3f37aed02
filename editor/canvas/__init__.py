"""The canvas: nodes and cables, drawn and handled by ourselves on one drawlist."""
