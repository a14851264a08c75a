"""Every event type and version that was ever stored, as it was stored. See generate.py."""
