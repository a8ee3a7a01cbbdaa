"""Sequential specifications of shared objects, one file per object."""
