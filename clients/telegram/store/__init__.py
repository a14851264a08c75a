"""What the bot keeps on disk: one SQLite file a bot.

Nothing of it is the truth about pictures or credits; that is the service's. It is what a restart of the bot would
lose: which updates are still to be handled, dialogues, orders that are followed, what a chat looks at, and which
files Telegram has already.
"""
