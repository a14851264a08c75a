"""The endpoint to which the vendor reports by itself; ``docs/webhooks.md`` describes it."""
