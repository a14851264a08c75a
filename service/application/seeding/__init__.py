"""A believable history, made up: weeks of use by a growing crowd, with good days and bad ones.

For trying out reports, rebuilds and time travel on something that looks like the real thing. Every event comes out
of the domain's own decisions, so whatever holds of a real log holds of this one. The same seed and the same end give
the same history, event ids included. The files of the pictures are not made.

    for events in seeded_history(catalog, seed=1, events=1_000_000, end=datetime(2026, 11, 25, tzinfo=UTC)):
        await importing.write(events)
"""

from service.application.seeding.story import seeded_history

__all__ = ["seeded_history"]
