"""The event store's adapters. They share one codec and pass one contract suite (tests/contract)."""
