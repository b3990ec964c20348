"""The form of an effect, and when one is tried again or given up."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.engine.effects import Effect, GivenUp, NextTry, Retry, RetryPolicy
from tests import instance_of

_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
_BODY = st.dictionaries(_TEXT, st.recursive(st.none() | st.booleans() | _TEXT, st.lists, max_leaves=5))


@given(_TEXT, _TEXT, _BODY, _TEXT)
def test_an_effect_comes_back_as_it_was(conv: str, kind: str, body: dict[str, Any], id: str) -> None:
    effect = Effect(conv, kind, body, id)
    assert Effect.decode(effect.encode().encode()) == effect
    assert Effect.decode(b"1764000000000|" + effect.encode().encode()) == effect


@pytest.mark.parametrize(
    "entry",
    [b"", b"1|", b"{", b"[]", b"null", b"1|{}", b'{"conv":1,"kind":"k","id":"i","body":{}}', b"\xff", b"x|{}",
     b'{"conv":"c","kind":"k","id":"i","body":[]}'],
)  # fmt: skip
def test_what_is_no_effect_is_refused(entry: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        Effect.decode(entry)


def test_a_body_that_is_no_json_is_refused() -> None:
    with pytest.raises(TypeError):
        Effect("c", "k", {"x": object()}, "i").encode()


_FAIL = Retry(None, "500")


@pytest.mark.parametrize(
    ("outcome", "tries", "age", "expected"),
    [
        (_FAIL, 1, 0, NextTry(1, 1, in_doubt=False)),
        (_FAIL, 2, 0, NextTry(2, 2, in_doubt=False)),
        (_FAIL, 4, 0, NextTry(8, 4, in_doubt=False)),
        (_FAIL, 8, 0, NextTry(30, 8, in_doubt=False)),
        (_FAIL, 9, 0, GivenUp("after 9 tries: 500")),
        (_FAIL, 8, 590, NextTry(10, 8, in_doubt=False)),
        (_FAIL, 1, 600, GivenUp("after 600 s: 500")),
        (Retry(7.5, "429"), 3, 0, NextTry(7.5, 2, in_doubt=False)),
        (Retry(7.5, "429"), 9, 0, NextTry(7.5, 8, in_doubt=False)),
        (Retry(7.5, "429"), 1, 600, GivenUp("after 600 s: 429")),
        (Retry(0, "429"), 1, 0, NextTry(1, 0, in_doubt=False)),
        (Retry(1e12, "429"), 1, 0, NextTry(600, 0, in_doubt=False)),
    ],
)
def test_what_follows_a_failure(outcome: Retry, tries: int, age: float, expected: NextTry | GivenUp) -> None:
    policy = RetryPolicy(first=1, ceiling=30, tries=9, age=600, jitter=lambda: 0.0)
    assert policy.judge(outcome, tries=tries, age=age, before=False, in_doubt=False) == expected


@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize("now", [False, True])
def test_doubt_stays_until_the_effect_is_off(before: bool, now: bool) -> None:
    after = instance_of(NextTry, RetryPolicy().judge(_FAIL, tries=1, age=0, before=before, in_doubt=now))
    assert after.in_doubt is (before or now)


@given(st.integers(1, 11), st.floats(0, 3500), st.floats(0, 1), st.none() | st.floats(0, 1e9))
def test_a_pause_has_bounds_and_never_undercuts_the_platform(
    tries: int, age: float, jitter: float, after: float | None
) -> None:
    policy = RetryPolicy(jitter=lambda: jitter)
    again = instance_of(NextTry, policy.judge(Retry(after, "x"), tries=tries, age=age, before=False, in_doubt=False))
    assert 0.5 <= again.delay <= (policy.ceiling if after is None else policy.age * 1.1)
    if after is not None:
        assert again.delay >= min(after, policy.age)
