"""Commands in business verbs: load, fold, decide, append."""
