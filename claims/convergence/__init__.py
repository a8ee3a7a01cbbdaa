"""What the guide says about eventual consistency."""
