"""Generated from protos/ by tools/protos.py; not to be edited."""
