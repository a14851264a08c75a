"""``python -m clients.cli``: the same as ``triptych``."""

from clients.cli.main import main

main()
