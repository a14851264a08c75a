"""The web gallery: pages for people, made on the server from what the SDK answers.

It is a client like any other. Starlette serves, Jinja writes the pages, htmx replaces parts of them, and one stream
of server-sent events a page says what is new (``live.py``). Everything works without scripts, too, but for what comes
by itself. Pages carry a strict Content-Security-Policy, forms a token of the session (``security.py``), files have
signed addresses that run out (``links.py``, ``media.py``). ``docs/web.md`` says how to run it.
"""
