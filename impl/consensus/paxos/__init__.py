"""Paxos: one decree, and a log of them that a store is replicated by."""
