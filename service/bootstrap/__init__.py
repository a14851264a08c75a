"""The composition root: builds everything, closes everything. Nothing else knows what is plugged in."""

from service.bootstrap.checks import CannotStart
from service.bootstrap.databases import Databases, NotMigrated, open_databases
from service.bootstrap.system import System, running

__all__ = ["CannotStart", "Databases", "NotMigrated", "System", "open_databases", "running"]
