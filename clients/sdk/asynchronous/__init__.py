"""The asynchronous client, for programs that run an event loop: a module for each of the service's topics."""
