"""Settings: the only reader of the environment."""

from service.config.load import SettingsError, load_settings
from service.config.settings import ROLES, Settings
from service.config.tokens import parse_tokens

__all__ = ["ROLES", "Settings", "SettingsError", "load_settings", "parse_tokens"]
