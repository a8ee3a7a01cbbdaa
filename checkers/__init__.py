"""The judges: each decides one question about a history or a trace."""
