"""Automation lanes: how params move along the timeline."""
