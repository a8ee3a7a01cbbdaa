"""Consistency models as the papers define them, decided by trying everything, for histories of a few operations.

None of this shares code with the judges. `small` has the histories, `enumerate` makes them, `executions` and
`serialisations` hold the definitions, `transactions` those of transactions, and `models` names them all.
"""
