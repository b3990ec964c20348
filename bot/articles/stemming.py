"""Text as terms of the index: stems of words, and pairs of characters where writing has no spaces.

Terms are letters and digits only, so that no input can be syntax of a query.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any, Final

import Stemmer

LONGEST_WORD: Final = 40  # characters; a longer one is cut
_GRAMMAR: Final = 0.15
SHORTEST_STEM: Final = 3  # characters; shorter words are not stemmed

# Han, Hiragana, Katakana, Hangul: written without spaces, or with endings that no space sets apart.
_CJK: Final = r"\u3005\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003134f"
_RUN: Final = re.compile(rf"([{_CJK}]+)|((?:(?![{_CJK}])[^\W_]|(?<=[^\W_])[\u0300-\u036f])+)")
_STOPS: Final = Path(__file__).parent / "stopwords"
_ALGORITHMS: Final = {
    "ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german", "el": "greek", "en": "english",
    "es": "spanish", "et": "estonian", "eu": "basque", "fi": "finnish", "fr": "french", "ga": "irish", "hi": "hindi",
    "hu": "hungarian", "hy": "armenian", "id": "indonesian", "it": "italian", "lt": "lithuanian", "ne": "nepali",
    "nl": "dutch", "no": "norwegian", "pl": "polish", "pt": "portuguese", "ro": "romanian", "ru": "russian",
    "sr": "serbian", "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip

# What Snowball leaves on verbs and words derived from them, by language, removed from a stem without marks:
# przekierow|ać and przekierowan|ie, usuną|ł and usunię|to, za|blokować; ge|löscht and löschen, wiederher|ge|stellt.
_TAILS: Final = {
    "pl": (
        re.compile(
            r"^za(?=...)|(?<=...)(?:owan|owal|owac|ywan|ywac|ujac|niet|iet|acj|ow|uj|yw|ac|an|en|on|al|at|em|ie)$"
        ),
        "",
    ),
    "de": (
        re.compile(
            r"^((?:ab|an|auf|aus|ein|her|hin|nach|um|vor|weg|weiter|wieder|wiederher|zu|zuruck|zusammen)?)ge(...+?)t?$"
            r"|(?<=...)(i)er?t?$|(?<=....)t$"
        ),
        r"\1\2\3",
    ),
}

_lock = Lock()  # a stemmer may be used by one thread at a time


def terms(text: str, language: str) -> Iterator[str]:
    """The terms of a text in order, without stop words. A word with accents gives a second term, of the word without
    them, if that differs."""
    stops = _stops(language)
    for run, written in _RUN.findall(unicodedata.normalize("NFKC", text).casefold()):
        if run:
            yield from pairs(run)
            continue
        word = written[:LONGEST_WORD]
        bare = fold(word)
        if word in stops or bare in stops:
            continue
        yield from dict.fromkeys((_stem(word, language), _stem(bare, language)))


def term_weight(term: str) -> float:
    """The weight of a term in itself, 0 to 1: a pair with Hiragana in it is mostly grammar."""
    return _GRAMMAR if any("\u3041" <= c <= "\u309f" for c in term) else 1.0


def pairs(run: str) -> Iterator[str]:
    """Each pair of neighbours; a single character as it is."""
    if len(run) == 1:
        yield run
    for i in range(len(run) - 1):
        yield run[i : i + 2]


def fold(word: str) -> str:
    """A word without the marks on its letters."""
    apart = unicodedata.normalize("NFD", word.replace("ł", "l").replace("ß", "ss").replace("ø", "o"))
    return "".join(c for c in apart if not unicodedata.combining(c))


@lru_cache(maxsize=50_000)
def _stem(word: str, language: str) -> str:
    stemmer = _stemmer(language)
    if stemmer is None or len(word) < SHORTEST_STEM:
        return fold(word)
    with _lock:
        stem = fold(str(stemmer.stemWord(word)))
    tail = _TAILS.get(language)
    return tail[0].sub(tail[1], stem) if tail else stem


@lru_cache
def _stemmer(language: str) -> Any:
    """The stemmer of a language, None if there is none: its words are found only as they are written."""
    algorithm = _ALGORITHMS.get(language)
    return Stemmer.Stemmer(algorithm) if algorithm else None


@lru_cache
def _stops(language: str) -> frozenset[str]:
    path = _STOPS / f"{language}.txt"
    if language not in _ALGORITHMS or not path.exists():
        return frozenset()
    lines = path.read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())
