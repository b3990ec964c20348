"""Every refusal of the rules is on the list that the catalogues are held against."""

import ast
from collections.abc import Iterator
from pathlib import Path

import domain
from domain.numbers.fields import FIELDS
from domain.refusal import CODES, Refusal

KINDS = {
    "number_": ("emergency", "short"),
    "forward_": ("premium", "short", "emergency"),
    "register_": ("toll_free", "premium", "short", "emergency"),
}


def raised() -> Iterator[tuple[str, tuple[str, ...]]]:
    for path in Path(str(domain.__file__)).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Refusal"):
                continue
            params = tuple(keyword.arg for keyword in node.keywords if keyword.arg and keyword.arg != "field")
            match node.args[0]:
                case ast.Constant(value=str(code)):
                    yield code, params
                case ast.JoinedStr(values=[ast.Constant(value=str(start)), _]):
                    yield from ((start + kind, params) for kind in KINDS[start])
                case ast.JoinedStr(values=[_, ast.Constant(value=str(end))]):
                    yield from ((field.name + end, params) for field in FIELDS)
                case other:
                    raise AssertionError(f"a code that can't be read off: {ast.unparse(other)}")


def test_codes_and_params_are_those_listed() -> None:
    found = dict(raised())
    assert {code: set(params) for code, params in found.items()} == {
        code: set(params) for code, params in CODES.items()
    }


def test_a_refusal_carries_what_its_sentence_needs() -> None:
    refusal = Refusal("code_wrong", "code", left=2)
    assert (refusal.code, refusal.field, refusal.params) == ("code_wrong", "code", {"left": 2})
    assert "code_wrong" in repr(refusal)
