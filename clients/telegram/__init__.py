"""The Telegram bot: the same gallery in a chat, made of what the SDK answers.

It is a client like any other. aiogram speaks with Telegram; each update is kept on disk before Telegram is told that
it came, and handled in its chat's order (``polling.py``, ``store/inbox.py``). What goes out is paced as Telegram asks
(``sending.py``). Dialogues, running orders, what each chat looks at and the ids of files that Telegram has are in one
SQLite file (``store``), so that a restart loses nothing. Orders carry a ``request_id`` made of the chat and the
message that was tapped: the same tap is the same order. ``docs/telegram.md`` says how to run it.
"""
