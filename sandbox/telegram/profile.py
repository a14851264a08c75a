"""What a bot says of itself: commands by scope and language, its name and descriptions by language, menu buttons."""

from __future__ import annotations

import re
from typing import Any, Final

from sandbox.telegram.calls import Call
from sandbox.telegram.errors import bad_request

_COMMAND: Final = re.compile(r"[a-z0-9_]{1,32}")
_LANGUAGE: Final = re.compile(r"(?:[a-z]{2})?")
_SCOPES: Final = {
    "default", "all_private_chats", "all_group_chats", "all_chat_administrators",
    "chat", "chat_administrators", "chat_member",
}  # fmt: skip
_MAX_COMMANDS: Final = 100
_MAX_COMMAND_DESCRIPTION: Final = 256
_MAX_CHARACTERS: Final = {"name": 64, "description": 512, "short_description": 120}
_MENU_BUTTONS: Final = ("commands", "web_app", "default")

Command = dict[str, str]


class Profile:
    """Kept as it was set, and what a person sees of it."""

    def __init__(self, bot_name: str) -> None:
        self._commands: dict[tuple[str, str], list[Command]] = {}
        self._texts: dict[tuple[str, str], str] = {("name", ""): bot_name}
        self._menu_buttons: dict[str, dict[str, Any]] = {}

    def set_commands(self, call: Call) -> None:
        """Raises BotApiError if one of them is not as it must be."""
        given = call.structure("commands", list)
        if given is None:
            raise bad_request('can\'t find field "commands"')
        if len(given) > _MAX_COMMANDS:
            raise bad_request("too many bot commands specified")
        self._commands[_scope(call), _language(call)] = [_checked(command) for command in given]

    def delete_commands(self, call: Call) -> None:
        self._commands.pop((_scope(call), _language(call)), None)

    def commands(self, call: Call) -> list[Command]:
        return self._commands.get((_scope(call), _language(call)), [])

    def commands_for(self, user_id: int, language: str) -> list[Command]:
        """The commands that a person is offered: the closest scope first, and in it their language."""
        for scope in (f"chat:{user_id}", "all_private_chats", "default"):
            for spoken in (language[:2], ""):
                if (scope, spoken) in self._commands:
                    return self._commands[scope, spoken]
        return []

    def set_text(self, name: str, call: Call) -> None:
        """Sets name, description or short_description. An empty one gives way to the one for all languages."""
        text = call.text(name)
        if len(text) > _MAX_CHARACTERS[name]:
            raise bad_request(f"bot {name.replace('_', ' ')} is too long")
        if text:
            self._texts[name, _language(call)] = text
        else:
            self._texts.pop((name, _language(call)), None)

    def text(self, name: str, call: Call) -> dict[str, str]:
        return {name: self.text_for(name, _language(call))}

    def text_for(self, name: str, language: str) -> str:
        return self._texts.get((name, language[:2])) or self._texts.get((name, ""), "")

    def set_menu_button(self, call: Call) -> None:
        button = call.structure("menu_button", dict) or {"type": "default"}
        if button.get("type") not in _MENU_BUTTONS:
            raise bad_request("can't parse menu button: Unknown type specified")
        web_app = button.get("web_app")
        if button["type"] == "web_app" and not (button.get("text") and isinstance(web_app, dict)):
            raise bad_request("can't parse menu button: text and web_app are needed")
        self._menu_buttons[call.text("chat_id")] = button

    def menu_button(self, chat_id: str) -> dict[str, Any]:
        return self._menu_buttons.get(chat_id) or self._menu_buttons.get("") or {"type": "commands"}


def _language(call: Call) -> str:
    language = call.text("language_code")
    if not _LANGUAGE.fullmatch(language):
        raise bad_request("invalid language code specified")
    return language


def _scope(call: Call) -> str:
    scope = call.structure("scope", dict) or {"type": "default"}
    if scope.get("type") not in _SCOPES:
        raise bad_request("can't parse BotCommandScope: unsupported type specified")
    if scope["type"].startswith("chat"):
        if "chat_id" not in scope:
            raise bad_request("can't parse BotCommandScope: Can't find field \"chat_id\"")
        return f"{scope['type']}:{scope['chat_id']}"
    return str(scope["type"])


def _checked(command: Any) -> Command:
    if not isinstance(command, dict) or not {"command", "description"} <= set(command):
        raise bad_request("can't parse BotCommand: command and description are needed")
    name = str(command["command"]).removeprefix("/")
    description = str(command["description"]).strip()
    if not _COMMAND.fullmatch(name):
        raise bad_request("BOT_COMMAND_INVALID")
    if not 1 <= len(description) <= _MAX_COMMAND_DESCRIPTION:
        raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    return {"command": name, "description": description}
