"""What reacts to events: the worker and the steps by which it fulfils generations."""
