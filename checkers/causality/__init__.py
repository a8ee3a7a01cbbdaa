"""Was every message shown after what it depends on?"""
