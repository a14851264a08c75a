"""Reply markup: inline keyboards, reply keyboards, and their removal, checked as Telegram checks them."""

from __future__ import annotations

from typing import Any, Final

from sandbox.telegram.calls import Call
from sandbox.telegram.errors import bad_request, refuse_unknown, too_strict

MAX_CALLBACK_BYTES: Final = 64
_MAX_BUTTONS: Final = 100
_MAX_BUTTONS_IN_A_ROW: Final = 8
_MAX_COPIED_CHARACTERS: Final = 256
_ACTIONS: Final = (
    "url", "callback_data", "web_app", "login_url", "switch_inline_query", "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat", "copy_text", "callback_game", "pay", "disabled",
)  # fmt: skip
_STYLE: Final = {"text", "style", "icon_custom_emoji_id"}
_STYLES: Final = ("default", "danger", "success", "primary")
_KINDS: Final = ("inline_keyboard", "keyboard", "remove_keyboard", "force_reply")

Markup = dict[str, Any]


def reply_markup(call: Call, *, inline_only: bool = False) -> Markup | None:
    """The checked markup of a call, None if it has none. An empty inline keyboard is none. Raises BotApiError."""
    markup = call.structure("reply_markup", dict)
    if not markup:
        return None
    kinds = [kind for kind in _KINDS if kind in markup]
    if len(kinds) != 1:
        raise too_strict(f"reply_markup must be exactly one of {', '.join(_KINDS)}")
    if inline_only and kinds != ["inline_keyboard"]:
        raise bad_request("inline keyboard expected")
    if kinds == ["inline_keyboard"]:
        rows = _rows(markup["inline_keyboard"], "inline keyboard")
        checked = [[_inline_button(button) for button in row] for row in rows if row]
        return {"inline_keyboard": checked} if checked else None
    if kinds == ["keyboard"]:
        rows = _rows(markup["keyboard"], "keyboard")
        return {**markup, "keyboard": [[_reply_button(button) for button in row] for row in rows if row]}
    return dict(markup)


def _rows(rows: Any, what: str) -> list[list[Any]]:
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise bad_request(f"field {what.replace(' ', '_')} of the reply markup must be an Array of Arrays")
    if sum(map(len, rows)) > _MAX_BUTTONS:
        raise bad_request("reply markup is too long")
    if any(len(row) > _MAX_BUTTONS_IN_A_ROW for row in rows) and what == "inline keyboard":
        raise too_strict(f"a row of an inline keyboard shows at most {_MAX_BUTTONS_IN_A_ROW} buttons")
    return rows


def _inline_button(button: Any) -> dict[str, Any]:
    where = "can't parse inline keyboard button: "
    if not isinstance(button, dict):
        raise bad_request(where + "InlineKeyboardButton must be an Object")
    button = _said(button)
    if not isinstance(button.get("text"), str):
        raise bad_request(where + 'Can\'t find field "text"')
    if not button["text"].strip():
        raise bad_request("button text is empty")
    actions = [action for action in _ACTIONS if button.get(action) not in (None, "") or _may_be_empty(button, action)]
    if not actions:
        raise bad_request(where + "Text buttons are unallowed in the inline keyboard")
    if len(actions) > 1:
        raise too_strict(f"button {button['text']!r} has {' and '.join(actions)}; it must have exactly one action")
    refuse_unknown(button, _STYLE | set(_ACTIONS), f"button {button['text']!r}")
    if "style" in button and button["style"] not in _STYLES:
        raise bad_request(where + "Invalid button style specified")
    _check_action(actions[0], button[actions[0]])
    return _said(button)


def _may_be_empty(button: dict[str, Any], action: str) -> bool:
    return action in button and action.startswith(("switch_inline_query", "callback_game"))


def _check_action(action: str, value: Any) -> None:
    if action == "callback_data" and not 1 <= len(str(value).encode()) <= MAX_CALLBACK_BYTES:
        raise bad_request("BUTTON_DATA_INVALID")
    if action == "url" and not str(value).startswith(("http://", "https://", "tg://")):
        raise bad_request(f"inline keyboard button URL '{value}' is invalid: Wrong HTTP URL")
    if action == "web_app" and not (isinstance(value, dict) and str(value.get("url")).startswith("https://")):
        raise bad_request("BUTTON_URL_INVALID")
    if action == "copy_text":
        copied = value.get("text") if isinstance(value, dict) else None
        if not isinstance(copied, str) or not 1 <= len(copied) <= _MAX_COPIED_CHARACTERS:
            raise bad_request("BUTTON_COPY_TEXT_INVALID")


def _reply_button(button: Any) -> dict[str, Any]:
    if isinstance(button, str):
        button = {"text": button}
    if not isinstance(button, dict) or not str(button.get("text") or "").strip():
        raise bad_request("can't parse keyboard button: Can't find field \"text\"")
    return _said(button)


def _said(button: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in button.items() if value is not None}
