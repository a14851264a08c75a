"""Deterministic simulation: the core under crashes, conflicts, lost answers and a lying vendor, on virtual time.

A seed decides everything: what is asked and when, what fails and how, in which order ready tasks run. The same seed
gives the same story, event for event, on any machine. ``python -m tests.simulation --help`` runs many of them.

The code under test is the production code: decisions, executor, worker, steps, reports, memory store, work list.
Simulated are the processes that it runs in, the vendors, and the users.
"""
