"""A chat between nodes, with vector clocks."""
