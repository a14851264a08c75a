"""History for analysts, without a terminal: exports, SQL, plots, projections. ``clients/cli/history`` shows it.

Everything begins with a replay (``source.py``): the log's events in order, typed, in batches. ``columns.py`` flattens
an event to a row; exports write such rows to files (``export.py``), DuckDB queries them (``sql.py``, ``views.py``),
plots count them (``daily.py``, ``plots.py``). A projection of one's own (``projections.py``) gets the events as they
are. Memory stays flat: batches pass through, and nothing is kept but what is being written.

pyarrow, duckdb, matplotlib and filelock are the extra ``analysts`` and are imported when they are needed.
"""
