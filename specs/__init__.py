"""The law: models of objects, and what it means to behave like one."""
