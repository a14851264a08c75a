"""``triptych history``: the log for analysts. Each module has the commands of one topic; ``clients/history`` does the
work."""
