"""The evidence: what clients saw and what the world did, as values that can be written, read and compared."""
