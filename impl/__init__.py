"""The accused: implementations on trial. Nothing here knows who will judge it, or how."""
