"""How verdicts and histories are shown: pure functions from results to text that a terminal can colour."""
