"""``python -m service`` is ``triptychd``."""

from service.cli import main

main()
