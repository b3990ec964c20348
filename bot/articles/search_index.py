"""The articles of one folder, indexed: SQLite FTS5 in memory, a table a language.

The tables hold terms (`bot/articles/stemming.py`), so FTS5 only splits at spaces and ranks. It only uses the CPU;
`bot/articles/cache.py` keeps it off the event loop.
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

LONGEST_QUERY: Final = 1_000  # characters that are searched for
MOST_TERMS: Final = 32  # the first of a query
CANDIDATES: Final = 20  # best articles of a language, whose share of the question is computed
FALLBACK: Final = "en"

# D 2026-11, tuned on tests/bot/articles: a word of the title says more about an article than one of its text.
_WEIGHTS: Final = (6.0, 4.0, 3.0, 1.0)  # title, questions, headings, text
# The share of a question's weight that an article must contain to answer it, and to be related to it.
ANSWERS: Final = 0.45
RELATED: Final = 0.12
_FEW: Final = 2  # articles
_STEPS: Final = 1_000  # of SQLite's virtual machine, between checks of the clock


class TookTooLong(Exception):
    """The search reached its deadline."""


@dataclass(frozen=True, slots=True)
class _IndexedArticle:
    """An article with its sentences and all its terms."""

    source: ArticleSource
    paragraphs: tuple[Sentences, ...]
    terms: frozenset[str]


class ArticleIndex:
    """An immutable index of a folder. Must be used by one thread at a time."""

    def __init__(self, folder: Folder) -> None:
        self._database = sqlite3.connect(":memory:", check_same_thread=False)
        self._articles: dict[str, list[_IndexedArticle]] = {}
        self._by_id: dict[str, ArticleSource] = {}
        self._frequencies: dict[str, Counter[str]] = {}
        for source in folder.articles:
            self._by_id[source.id] = source
            self._add(source)
        self._database.commit()

    def _add(self, source: ArticleSource) -> None:
        language = source.language
        articles = self._articles.setdefault(language, [])
        table = _table(language)
        if not articles:
            # Terms are already letters and digits of any script: a term is what stands between spaces.
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
            (len(articles), *map(" ".join, columns)),
        )
        every = frozenset(term for column in columns for term in column)
        articles.append(_IndexedArticle(source, split_paragraphs(paragraphs, language), every))
        self._frequencies.setdefault(language, Counter()).update(every)

    def close(self) -> None:
        self._database.close()

    @property
    def count(self) -> int:
        return len(self._by_id)

    def get(self, id: str) -> Article | None:
        source = self._by_id.get(id)
        return None if source is None else Article(source.id, source.title, source.url, source.language, source.pieces)

    def suggested(self, language: str, limit: int) -> tuple[str, ...]:
        """Questions to suggest in a language, else in English: the first of each article before any second."""
        for code in (language, FALLBACK):
            sources = sorted(
                (article.source for article in self._articles.get(code, ())), key=lambda source: source.place
            )
            lists = [source.questions or (source.title,) for source in sources]
            rounds = zip_longest(*lists)
            found = tuple(dict.fromkeys(question for each in rounds for question in each if question))[:limit]
            if found:
                return found
        return ()

    def search(self, text: str, language: str, limit: int, *, wide: bool, until: float) -> list[SearchHit]:
        """The articles that answer a question, best first, in one language: the reader's, else English, else another.

        With `wide`, those related to it in every language. Raises TookTooLong at `until` of the monotonic clock.
        """
        languages = dict.fromkeys((language, FALLBACK, *sorted(self._articles)))
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
        """Articles of one language that contain at least the share `least` of the question."""
        articles = self._articles.get(language)
        wanted = tuple(dict.fromkeys(terms(text, language)))[:MOST_TERMS] if articles else ()
        if not articles or not wanted:
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
            ranked = [(articles[row], -rank) for row, rank in rows]
        found = []
        for document, rank in ranked:
            share = sum(weights[term] for term in wanted if term in document.terms) / whole
            if share >= least:
                found.append(_found(document, weights, share + min(rank, 100.0) / 1_000, language))
        return found

    def _weights(self, wanted: Sequence[str], language: str) -> Mapping[str, float]:
        """The weight of each term: the rarer the heavier, but one that no article has, perhaps a typing error, weighs
        no more than one that few have."""
        frequencies, count = self._frequencies[language], len(self._articles[language])
        return {
            term: term_weight(term) * math.log(1 + (count + 0.5) / (max(_FEW, frequencies.get(term, 0)) + 0.5))
            for term in wanted
        }


def _found(document: _IndexedArticle, weights: Mapping[str, float], score: float, language: str) -> SearchHit:
    source = document.source
    shown = passage(document.paragraphs, weights)
    return SearchHit(source.id, source.title, shown, source.url, language, round(score, 4))


def _table(language: str) -> str:
    """`language` is two or three letters, as `bot/articles/files.py` checks."""
    return f"in_{language}"
