"""Words of prompts, for search.

PostgreSQL's text parser knows languages, hyphens and file names, and no user can tell what it makes of a prompt. So
words are cut here: runs of letters and digits, in one case, with ``ё`` as ``е`` (people type either), and a search
word finds every word that begins with it, which also serves inflected languages ("кот": кот, кота, котёнок).

Each lexeme carries a short hash of its user. A search then touches only that user's entries in the index, however
many others use the same word; a collision of hashes is harmless because queries also compare the user.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b

_WORD = re.compile(r"\w+")
MAX_WORD_LENGTH = 64
MAX_WORDS_PER_ITEM = 1000
MAX_SEARCH_WORDS = 20


def split_words(text: str) -> list[str]:
    """The distinct words of a text in order of appearance, in the form in which they are compared."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("ё", "е")
    return list(dict.fromkeys(word[:MAX_WORD_LENGTH] for word in _WORD.findall(plain)))


def lexemes(user_id: str, *texts: str) -> list[str]:
    """What is indexed for an item: the words of its texts, each once."""
    owner = _owner(user_id)
    return [owner + word for word in split_words(" ".join(texts))[:MAX_WORDS_PER_ITEM]]


def search_query(user_id: str, words: str) -> str:
    """A ``tsquery`` that asks for every word as the beginning of one; empty when there are no words."""
    owner = _owner(user_id)
    return " & ".join(f"'{owner}{word}':*" for word in split_words(words)[:MAX_SEARCH_WORDS])


def begins_words(user_id: str, words: str, lexemes: Sequence[str]) -> bool:
    """What ``search_query`` asks of the lexemes of an item: each word begins one of them."""
    owner = _owner(user_id)
    wanted = [owner + word for word in split_words(words)[:MAX_SEARCH_WORDS]]
    return all(any(lexeme.startswith(each) for lexeme in lexemes) for each in wanted)


@lru_cache(4096)
def _owner(user_id: str) -> str:
    return blake2b(user_id.encode(), digest_size=5).hexdigest() + ":"
