"""What the guide says about consensus."""
