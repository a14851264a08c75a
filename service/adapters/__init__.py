"""What the service is plugged into. Adapters do not know each other; the composition root joins them."""
