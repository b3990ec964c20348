"""The passage of an article that answers a question: the fewest consecutive sentences that say the most."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from bot.articles.stemming import terms

LENGTH: Final = 260  # characters of a passage
_END: Final = re.compile(r"(?<=[.!?…])\s+|(?<=[.!?…][\"”’»)])\s+|(?<=[。！？])")  # after it a new sentence begins
_BULLET: Final = "• "

Sentences = Sequence[tuple[str, frozenset[str]]]  # each with its terms


def sentences(text: str) -> list[str]:
    """A paragraph's sentences, each trimmed."""
    found: list[str] = []
    for piece in map(str.strip, _END.split(text.removeprefix(_BULLET))):
        # "No. 5", "e.g. this", "1. First": too short for a sentence, or a lower-case letter or digit follows.
        if found and piece and (len(found[-1]) < len("1. x") or piece[0].islower() or piece[0].isdigit()):
            found[-1] = f"{found[-1]} {piece}"
        elif piece:
            found.append(piece)
    return found


def split_paragraphs(paragraphs: Sequence[str], language: str) -> tuple[Sentences, ...]:
    """Paragraphs as `passage` takes them."""
    return tuple(
        tuple((sentence, frozenset(terms(sentence, language))) for sentence in sentences(paragraph))
        for paragraph in paragraphs
    )


def passage(paragraphs: Sequence[Sentences], weights: Mapping[str, float]) -> str:
    """The sentences of a paragraph with the highest sum of weights, each term counted once; the first of equals.

    Extended to the end, then to the beginning, of the paragraph as far as `LENGTH` allows. A longer sentence is cut
    where a word ends.
    """
    best, where, most = paragraphs[0] if paragraphs else (), (0, 1), -1.0
    for paragraph in paragraphs:
        for i in range(len(paragraph)):
            for j in range(i + 1, len(paragraph) + 1):
                if j > i + 1 and _length(paragraph[i:j]) > LENGTH:
                    break
                held = frozenset[str]().union(*(each for _, each in paragraph[i:j])) & weights.keys()
                # A further sentence must add a term.
                said = sum(weights[term] for term in held) - 0.01 * (j - i)
                if said > most:
                    best, where, most = paragraph, (i, j), said
    begin, end = where
    while end < len(best) and _length(best[begin : end + 1]) <= LENGTH:
        end += 1
    while begin > 0 and _length(best[begin - 1 : end]) <= LENGTH:
        begin -= 1
    return cut(" ".join(sentence for sentence, _ in best[begin:end]))


def _length(some: Sentences) -> int:
    return sum(len(sentence) + 1 for sentence, _ in some) - 1


def cut(text: str, length: int = LENGTH) -> str:
    """At most `length` characters, cut where a word ends."""
    if len(text) <= length:
        return text
    head = text[: length - 1]
    space = head.rfind(" ")
    return f"{head[: space if space > length // 2 else None].rstrip(' ,;:–-')}…"
