"""Where files are kept and how they get there, behind ``service.ports.media_store``."""

from service.adapters.media.collector import CollectorLimits, FileSink, HttpMediaCollector, NoStore
from service.adapters.media.locations import MediaUrlInvalid, open_location
from service.adapters.media.references import ReferenceLimits
from service.adapters.media.store import ObjectMediaStore

__all__ = [
    "CollectorLimits",
    "FileSink",
    "HttpMediaCollector",
    "MediaUrlInvalid",
    "NoStore",
    "ObjectMediaStore",
    "ReferenceLimits",
    "open_location",
]
