"""Read models: what is read is built here from the events, and can be dropped and built again at any time."""
