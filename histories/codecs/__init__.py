"""How others write a history down, one file per format."""
