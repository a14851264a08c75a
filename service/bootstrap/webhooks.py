"""The role webhook, put together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from service.adapters.providers.fal_webhook import FalWebhookVerifier
from service.adapters.providers.fal_webhook_keys import FalWebhookKeys
from service.adapters.tls import trust
from service.api.webhook.address import webhook_url
from service.api.webhook.app import webhook_app
from service.api.webhook.server import WebhookServer, WebhookServerOptions
from service.application.reports import Reports
from service.bootstrap.background import Background
from service.bootstrap.core import Shared
from service.config import Settings


def webhook_urls(settings: Settings, secret: str) -> Callable[[str], str]:
    """From a generation's id to the address the vendor reports to; empty where no webhooks are wanted."""
    public_url = settings.webhook_public_url
    return lambda generation_id: webhook_url(public_url, secret, generation_id) if public_url else ""


@asynccontextmanager
async def open_webhook(settings: Settings, shared: Shared, background: Background, secret: str) -> AsyncIterator[str]:
    """The endpoint while it listens; gives its ``host:port``. Raises CannotListen."""
    keys = FalWebhookKeys(settings.fal_jwks_url, tls=trust(settings.ca_file), clock=shared.clock)
    reports = Reports(shared.core.generations, shared.work_list, shared.clock)
    app = webhook_app(secret=secret, verifier=FalWebhookVerifier(keys, clock=shared.clock), receive=reports.receive)
    server = WebhookServer(app, WebhookServerOptions(host=settings.webhook_host, port=settings.webhook_port))
    try:
        await server.start()
        task = background.start("webhook", server.wait_stopped())
        try:
            yield server.address
        finally:
            background.leave_to_end(task)
    finally:
        await server.stop()
        await keys.aclose()
