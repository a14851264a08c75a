"""``triptych``, the client on the command line: people look and ask with it, scripts use its ``--json``."""
