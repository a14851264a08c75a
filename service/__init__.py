"""Triptych, the service: decides, records and shows what was asked for, paid for and made."""
