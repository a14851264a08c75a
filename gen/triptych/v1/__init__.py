"""Generated from protos/triptych/v1 by tools/protos.py; not to be edited."""
