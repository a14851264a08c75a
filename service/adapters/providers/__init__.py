"""Vendors of pictures and video, behind ``service.ports.media_provider``."""

from service.adapters.providers.fal import FalProvider, FalSettings

__all__ = ["FalProvider", "FalSettings"]
