"""Killing real processes under load, and counting afterwards what is there.

    load.py      clients who ask, repeat, cancel, overdraw, and try again until they are answered
    chaos.py     kill -9 of workers, API, projectors and PostgreSQL, alone and together
    watchers.py  callers whose streams are open all the time
    evidence.py  what is there in the end: the log, galleries, files, accounts, the vendor's jobs
    verdict.py   whether that fits together, and with what the clients were told
    run.py       one run of all that

``python -m tests.soak --minutes 10`` runs it for long, ``tests/e2e/test_crashes.py`` for half a minute. Which
processes are killed when, and what clients ask for, follows from a seed; how the machine schedules them does not.
"""
