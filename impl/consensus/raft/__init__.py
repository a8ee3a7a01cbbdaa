"""Raft, and the key-value store on top of it."""
