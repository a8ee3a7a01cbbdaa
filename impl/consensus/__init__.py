"""Implementations that must agree."""
