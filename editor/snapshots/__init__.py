"""Snapshots: values of params kept under names."""
