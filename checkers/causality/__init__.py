"""What comes before what: was every message shown after what it depends on, and is every read explained by its past?"""
