"""How verdicts and histories are shown to people."""
