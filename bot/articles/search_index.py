"""The articles of one folder, indexed: SQLite FTS5 in memory, a table a language.

What goes into the tables are terms (`words.py`), so FTS5 itself only splits at spaces and ranks. Nothing here waits
for anything but the processor; `shelves.py` keeps it off the event loop.
"""

import math
import sqlite3
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final

from bot.articles.files import ArticleSource, Folder
from bot.articles.snippets import Sentences, passage, split_paragraphs
from bot.articles.stemming import term_weight, terms
from handlers.framework.ports import Article, SearchHit
from handlers.framework.screens import Heading, Paragraph, strip_markup

LONGEST_QUERY: Final = 1_000  # characters that are looked at
MOST_TERMS: Final = 32  # of a query, those that come first
CANDIDATES: Final = 20  # articles of a language that are looked at more closely
FALLBACK: Final = "en"

# D 2026-11, tuned on tests/bot/articles: a word of the title tells more of what an article
# is about than one of its text.
_WEIGHTS: Final = (6.0, 4.0, 3.0, 1.0)  # title, questions, headings, text
# The share of a question's weight that an article must hold to be an answer to it. Below, it is only related.
ANSWERS: Final = 0.45
RELATED: Final = 0.12
_FEW: Final = 2  # articles
_STEPS: Final = 1_000  # of SQLite's machine, between looks at the clock


class TookTooLong(Exception):
    """The search was given up."""


@dataclass(frozen=True, slots=True)
class _IndexedArticle:
    """A document with all its terms."""

    source: ArticleSource
    paragraphs: tuple[Sentences, ...]
    terms: frozenset[str]


class ArticleIndex:
    """One folder's articles as they were when it was made. Used by one thread at a time."""

    def __init__(self, folder: Folder) -> None:
        self._database = sqlite3.connect(":memory:", check_same_thread=False)
        self._held: dict[str, list[_IndexedArticle]] = {}
        self._by_id: dict[str, ArticleSource] = {}
        self._holding: dict[str, Counter[str]] = {}
        for source in folder.articles:
            self._by_id[source.id] = source
            self._add(source)
        self._database.commit()

    def _add(self, source: ArticleSource) -> None:
        language = source.language
        held = self._held.setdefault(language, [])
        table = _table(language)
        if not held:
            # Terms are letters and digits of any script already: whatever is between spaces is one.
            self._database.execute(
                f"CREATE VIRTUAL TABLE {table} USING fts5(title, questions, headings, body, content='',"
                " tokenize=\"unicode61 remove_diacritics 0 categories 'L* M* N* S* Co Cn'\")"
            )
        paragraphs = tuple(strip_markup(piece.text) for piece in source.pieces if isinstance(piece, Paragraph))
        headings = " ".join(piece.text for piece in source.pieces if isinstance(piece, Heading))
        columns = [
            list(terms(text, language))
            for text in (source.title, " ".join(source.questions), headings, "\n".join(paragraphs))
        ]
        self._database.execute(
            f"INSERT INTO {table}(rowid, title, questions, headings, body) VALUES (?, ?, ?, ?, ?)",  # noqa: S608 - the table's name is ours
            (len(held), *map(" ".join, columns)),
        )
        every = frozenset(term for column in columns for term in column)
        held.append(_IndexedArticle(source, split_paragraphs(paragraphs, language), every))
        self._holding.setdefault(language, Counter()).update(every)

    def close(self) -> None:
        self._database.close()

    @property
    def count(self) -> int:
        return len(self._by_id)

    def get(self, id: str) -> Article | None:
        source = self._by_id.get(id)
        return None if source is None else Article(source.id, source.title, source.url, source.language, source.pieces)

    def suggested(self, language: str, limit: int) -> tuple[str, ...]:
        """Questions worth asking in a language, English where it has none: each article's first before any second."""
        for code in (language, FALLBACK):
            sources = sorted((held.source for held in self._held.get(code, ())), key=lambda source: source.place)
            lists = [source.questions or (source.title,) for source in sources]
            rounds = zip_longest(*lists)
            found = tuple(dict.fromkeys(question for each in rounds for question in each if question))[:limit]
            if found:
                return found
        return ()

    def search(self, text: str, language: str, limit: int, *, wide: bool, until: float) -> list[SearchHit]:
        """The articles that answer a question, best first; with `wide`, those that have to do with it, of every
        language. The first language that has an answer gives all of them: the reader's, English, the others.

        Raises TookTooLong at `until`, of the monotonic clock.
        """
        languages = dict.fromkeys((language, FALLBACK, *sorted(self._held)))
        self._database.set_progress_handler(lambda: time.monotonic() > until, _STEPS)
        try:
            everything: list[SearchHit] = []
            for code in languages:
                found = self._ranked(text[:LONGEST_QUERY], code, RELATED if wide else ANSWERS)
                if found and not wide:
                    return found[:limit]
                everything += found
        except sqlite3.OperationalError as error:
            if "interrupt" in str(error):
                raise TookTooLong from None
            raise
        return sorted(everything, key=lambda f: (f.language not in {language, FALLBACK}, -f.score))[:limit]

    def _ranked(self, text: str, language: str, least: float) -> list[SearchHit]:
        """Articles of one language that hold at least that share of the question."""
        held = self._held.get(language)
        wanted = tuple(dict.fromkeys(terms(text, language)))[:MOST_TERMS] if held else ()
        if not held or not wanted:
            return []
        weights = self._weights(wanted, language)
        whole = sum(weights.values())
        query = " OR ".join(f'"{term}"' for term in wanted)
        table = _table(language)
        with closing(
            self._database.execute(
                f"SELECT rowid, bm25({table}, ?, ?, ?, ?) AS rank FROM {table} WHERE {table} MATCH ?"  # noqa: S608 - the table's name is ours, all else is bound
                " ORDER BY rank LIMIT ?",
                (*_WEIGHTS, query, CANDIDATES),
            )
        ) as rows:
            ranked = [(held[row], -rank) for row, rank in rows]
        found = []
        for document, rank in ranked:
            share = sum(weights[term] for term in wanted if term in document.terms) / whole
            if share >= least:
                found.append(_found(document, weights, share + min(rank, 100.0) / 1_000, language))
        return found

    def _weights(self, wanted: Sequence[str], language: str) -> Mapping[str, float]:
        """How much each term tells: the rarer the more. One that no article has, a slip of the finger perhaps, tells
        no more than one that few have."""
        holding, count = self._holding[language], len(self._held[language])
        return {
            term: term_weight(term) * math.log(1 + (count + 0.5) / (max(_FEW, holding.get(term, 0)) + 0.5))
            for term in wanted
        }


def _found(document: _IndexedArticle, weights: Mapping[str, float], score: float, language: str) -> SearchHit:
    source = document.source
    shown = passage(document.paragraphs, weights)
    return SearchHit(source.id, source.title, shown, source.url, language, round(score, 4))


def _table(language: str) -> str:
    """`language` is two or three letters: `files.py` takes no other."""
    return f"in_{language}"


__all__ = ["ArticleIndex", "TookTooLong"]
