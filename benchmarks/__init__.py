"""How fast Triptych is, beside what one would pick instead and beside the bare machine: ``python -m benchmarks``."""
