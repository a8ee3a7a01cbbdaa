"""Session guarantees: what sessions see of their own writes, of what they read, and in which order writes take effect."""
