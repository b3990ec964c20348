"""Folders of articles: what is read, what is left out and why, and what becomes of changes."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from bot.articles import files
from bot.articles.cache import ArticleCache, read_folder
from bot.articles.markdown import parse_markdown
from bot.articles.snippets import LENGTH, cut, sentences
from domain.accounts.account import Account
from handlers.framework.ports import Unavailable
from handlers.framework.screens import Bold, Heading, Link, Paragraph, strip_markup
from tests.handlers.world import company


def put(folder: Path, name: str, front: str = "title: About minutes", text: str = "Minutes are counted.") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"---\n{front}\n---\n{text}\n", "utf-8")
    return path


def account(folder: Path) -> Account:
    return company(articles=str(folder))


def test_an_article_is_read_with_all_that_it_says(tmp_path: Path) -> None:
    put(
        tmp_path,
        "de/minuten.md",
        'title: Minuten\nlanguage: de-AT\nurl: https://x.example/m\nquestions: ["Wie viele?"]\nplace: 3',
    )
    [article] = read_folder(str(tmp_path)).articles
    assert (article.id, article.title, article.language, article.url) == (
        "de/minuten",
        "Minuten",
        "de",
        "https://x.example/m",
    )
    assert (article.questions, article.place) == (("Wie viele?",), 3)


@pytest.mark.parametrize(
    ("front", "why"),
    [
        ("language: en", "needs a title"),
        ("title: '!!!'", "needs a title"),
        (f"title: {'x' * 151}", "longer than 150"),
        ("title: [a", "no YAML, line"),
        ("- a", "must be lines such as"),
        ("title: A\nlanguage: ../en", "must be a code"),
        ("title: A\nlanguage: 7", "must be a code"),
        ("title: A\nurl: javascript:alert(1)", "must begin with https"),
        ("title: A\nurl: 'https://a b'", "must begin with https"),
        ("title: A\nurl: https://[", "must begin with https"),
        ("title: A\nquestions: What?", "must be a list"),
        ("title: A\nquestions: [{a: b}]", "must be a list"),
        ("title: A\nplace: first", "must be a whole number"),
    ],
)
def test_a_wrong_front_matter_leaves_that_file_out(tmp_path: Path, front: str, why: str) -> None:
    put(tmp_path, "good.md")
    put(tmp_path, "wrong.md", front)
    found = read_folder(str(tmp_path))
    assert [article.id for article in found.articles] == ["good"]
    [trouble] = found.troubles
    assert trouble.path == "wrong.md"
    assert why in trouble.why


def test_other_files_that_are_no_articles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_BYTES", 2_000)
    put(tmp_path, "empty.md", text="")
    put(tmp_path, "large.md", text="x" * 2_000)
    put(tmp_path, f"{'n' * 80}.md")
    put(tmp_path, "a b.md")
    (tmp_path / "bare.md").write_text("# No front matter")
    (tmp_path / "latin.md").write_bytes("---\ntitle: ä\n---\n".encode("latin-1"))
    (tmp_path / "zero.md").write_bytes(b"---\ntitle: a\n---\na\0b")
    (tmp_path / "link.md").symlink_to(put(tmp_path.parent, "outside.md"))
    put(tmp_path, ".git/x.md")
    put(tmp_path, "README.md")
    found = read_folder(str(tmp_path))
    assert found.articles == ()
    assert {path for path, _ in found.troubles} == {
        "a b.md", "bare.md", "empty.md", "large.md", "latin.md", "zero.md", f"{'n' * 80}.md",
    }  # fmt: skip


def test_more_than_may_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_FILES", 3)
    for i in range(5):
        put(tmp_path, f"{i}.md")
    found = read_folder(str(tmp_path))
    assert len(found.articles) == 3
    assert "more than 3 articles" in found.troubles[0].why
    monkeypatch.setattr(files, "MOST_TOGETHER", 100)
    assert "larger than" in read_folder(str(tmp_path)).troubles[-1].why


def test_a_folder_that_is_not_there_is_one_trouble(tmp_path: Path) -> None:
    for folder in (str(tmp_path / "none"), "/dev/null", "a\0b"):
        found = read_folder(folder)
        assert found.articles == ()
        assert "can't be read" in found.troubles[0].why


def test_markup_is_taken_out() -> None:
    found = parse_markdown(
        "# One *two*\nSome **bold** and [a page](https://x.example 'T') and [none](javascript:x) `code_x` a_b_c\n"
        "<!-- hidden\n -->- item &amp; <b>more</b>\n\n|a|b|\n|-|-|\n```\n**raw**\n```\n![shown](x.png)\n<https://y.example>"
    )
    assert found[0] == Heading("One two")
    assert found[1] == Paragraph(
        ("Some ", Bold("bold"), " and ", Link("a page", "https://x.example"), " and none code_x a_b_c")
    )
    rest = [strip_markup(piece.text) for piece in found[2:] if isinstance(piece, Paragraph)]
    assert rest == ["• item & more", "a · b", "**raw**", "shown https://y.example"]


@pytest.mark.parametrize(
    "nasty", ["[" * 5_000, "*" * 5_000, "**a" * 2_000, "`" * 5_000, "<" * 5_000, "![](" * 2_000, "|" * 5_000]
)
def test_nasty_markup_is_only_text_and_quick(nasty: str) -> None:
    assert isinstance(parse_markdown(nasty), tuple)


def test_passages_end_with_sentences() -> None:
    assert sentences("First one. Second e.g. this! Third? 4.5 is a number. “Quoted.” End") == [
        "First one.", "Second e.g. this!", "Third? 4.5 is a number.", "“Quoted.”", "End",
    ]  # fmt: skip
    assert sentences("一つ目。二つ目。") == ["一つ目。", "二つ目。"]
    assert cut("word " * 100) == f"{('word ' * 100)[: LENGTH - 1].rsplit(' ', 1)[0]}…"
    assert len(cut("x" * 1_000)) == LENGTH


async def found(library: ArticleCache, account: Account, text: str = "minutes") -> list[str]:
    return [each.id for each in await library.search(account, text, "en", 3, False)]


async def test_changes_are_read_while_it_runs(tmp_path: Path) -> None:
    mine, other = account(tmp_path), company()
    put(tmp_path, "one.md")
    library = ArticleCache(look=0.02)
    loop = asyncio.create_task(library.run())
    try:
        assert await found(library, mine) == ["one"]
        assert await found(library, other) == []
        assert await library.get(mine, "one") is not None
        assert await library.get(mine, "../one") is None
        put(tmp_path, "two.md", "title: Minutes and more")
        await until(library, mine, {"one", "two"})
        (tmp_path / "one.md").unlink()
        await until(library, mine, {"two"})
        tmp_path.rename(tmp_path.with_name("moved"))  # noqa: ASYNC240 - likewise
        await asyncio.sleep(0.1)
        assert await found(library, mine) == ["two"], "what was read still answers"
        put(tmp_path, "three.md")
        await until(library, mine, {"three"})
    finally:
        loop.cancel()
        await library.aclose()


async def until(library: ArticleCache, account: Account, ids: set[str]) -> None:
    async with asyncio.timeout(5):
        while set(await found(library, account)) != ids:  # noqa: ASYNC110 - a folder has no event to wait for
            await asyncio.sleep(0.01)


async def test_few_folders_are_held_and_the_rest_read_again(tmp_path: Path) -> None:
    library = ArticleCache(held=2)
    for i in range(4):
        put(tmp_path / str(i), "one.md")
    for _ in range(2):
        assert await asyncio.gather(*(found(library, account(tmp_path / str(i))) for i in range(2))) == [["one"]] * 2
        for i in range(4):
            assert await found(library, account(tmp_path / str(i))) == ["one"]
    await library.aclose()


async def test_a_slow_disk_is_not_waited_for_and_found_done_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go, load = threading.Event(), files.load
    monkeypatch.setattr(files, "load", lambda *given: (go.wait(5), load(*given))[1])
    put(tmp_path, "one.md")
    library = ArticleCache(patience=0.05)
    with pytest.raises(Unavailable):
        await found(library, account(tmp_path))
    go.set()
    async with asyncio.timeout(5):
        while True:
            try:
                assert await found(library, account(tmp_path)) == ["one"]
                break
            except Unavailable:
                continue
    await library.aclose()


@pytest.mark.parametrize(
    "text",
    [
        '"',
        "minutes OR",
        "NEAR(a b)",
        "title: *",
        "a* -b ^c",
        "😀",
        "",
        "   ",
        "minutes\0",
        "x" * 40_000,
        "minutes " * 5_000,
        "\u202eminutes",
        "{}[]():;'\"\\",
    ],
)
async def test_whatever_is_asked_is_only_words(tmp_path: Path, text: str) -> None:
    put(tmp_path, "one.md")
    library = ArticleCache()
    wide: Any = await library.search(account(tmp_path), text, "en", 3, True)
    assert [each.id for each in wide] == (["one"] if "minutes" in text else [])
    assert len(await library.search(account(tmp_path), text, "'; DROP", 3, False)) <= 1
    await library.aclose()
