"""What updates do: a router for each part of the bot, tried in the order in which ``routers`` names them."""

from __future__ import annotations

from aiogram import Router

from clients.telegram.handlers import browsing, credits, items, ordering, places, troubles


def routers() -> list[Router]:
    """Commands first; what a message says is a description only if it is nothing else."""
    return [
        places.router(),
        credits.router(),
        browsing.router(),
        items.router(),
        ordering.router(),
        troubles.router(),
    ]
