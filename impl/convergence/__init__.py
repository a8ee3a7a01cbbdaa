"""Implementations that may differ, and must come together."""
