"""The world: what runs a system, hurts it, records it, and finds the smallest failure."""
