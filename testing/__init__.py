"""For the test suites of others: laws that any implementation of our contracts must keep."""
