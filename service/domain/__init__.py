"""The pure core: takes facts, returns events. Imports the standard library and msgspec, nothing else."""
