"""The docket: what is said about each system, and how it is put to the test."""
