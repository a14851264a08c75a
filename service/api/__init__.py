"""The gRPC API ``triptych.v1``: translates calls into commands and queries, and what comes of them into messages.

``server.py`` builds the server. ``errors.py`` is the only place that knows status codes; everything else raises.
"""
