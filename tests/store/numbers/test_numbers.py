"""What the store keeps of numbers beside what handlers show: adoption, imports, the indexes that follow a record."""

from domain.numbers.number import Number, NumberState
from store.engine import keys
from store.engine.commit import Change
from store.numbers.records import import_fields
from tests import present
from tests.handlers.world import NOW, PEOPLE, World, company, words


def number(e164: str, **more: object) -> Number:
    return Number(e164=e164, source="provided", since=NOW, **more)


async def test_numbers_from_before_somebody_was_listed_become_theirs(world: World) -> None:
    await world.type("UADA", "get GB")
    await world.type("UADA", "assign 02079460900 <@UNEW>")
    await world.apply(company(people=[*PEOPLE, {"id": "new", "name": "Newcomer", "slack": "UNEW", "seat": "core"}]))
    now = await world.snapshot()
    person = present(now.account.person("new"))
    assert await world.numbers.adopt(now, person, NOW) == 1
    assert await world.numbers.adopt(now, person, NOW) == 0
    assert "020 7946 0900" in words(await world.type("UNEW", ""))
    assert "Newcomer" in words(await world.type("UADA", ""))


async def test_importing_twice_changes_nothing_and_keeps_the_limit(world: World) -> None:
    now = await world.snapshot()
    rows = [number(f"+4420794609{n:02}", person="max" if n % 2 else None) for n in range(20, 25)]
    rows.append(number("+442079460930", state=NumberState.PORTING))
    first = await world.numbers.import_rows(now, rows, NOW)
    codes = [code for _, code in first]
    assert sorted(map(str, codes)) == ["None"] * 4 + ["quota"] * 2
    assert codes[-1] is None  # a number that is leaving holds no slot
    again = [code for _, code in await world.numbers.import_rows(now, rows, NOW)]
    assert [a for a, c in zip(again, codes, strict=True) if c is None] == ["same"] * 4
    assert len(await world.numbers.all(now)) == 4
    refused = next(row for row, code in first if code == "quota")
    assert await world.store.call("GET", keys.dir_number(refused.e164)) is None  # nothing is claimed in vain


async def test_a_number_of_another_account_is_refused(world: World) -> None:
    now = await world.snapshot()
    await world.store.call("SET", keys.dir_number("+442079460999"), "other")
    ((_, code),) = await world.numbers.import_rows(now, [number("+442079460999")], NOW)
    assert code == "number_of_another"


async def test_indexes_follow_the_record_through_its_life(world: World) -> None:
    now = await world.snapshot()
    e164 = "+442079460900"

    async def seen() -> tuple[bool, bool, bool, bool, int]:
        call = world.store.call
        return (
            await call("ZSCORE", now.keys.index, e164) is not None,
            bool(await call("SISMEMBER", now.keys.slots, e164)),
            await call("ZSCORE", now.keys.deleted, e164) is not None,
            await call("ZSCORE", now.keys.numbers_of("max"), e164) is not None,
            int(await call("ZCARD", now.keys.find)),
        )

    async def become(what: str, **changes: object) -> None:
        kept = present(await world.numbers.get(now, e164))
        after = kept.value.model_copy(update={**changes, "version": kept.value.version + 1})
        await world.numbers.replace(now, kept, after, what, Change(None, "ada", NOW))
        assert import_fields(after) == import_fields((await world.numbers.get(now, e164) or kept).value)

    await world.numbers.add(now, number(e164), None, 3, Change(None, "ada", NOW))
    assert await seen() == (True, True, False, False, 10)
    await become("number.assigned", person="max")
    assert await seen() == (True, True, False, True, 10)
    await become("number.imported", state=NumberState.PORTING)
    assert await seen() == (True, False, False, True, 10)
    await become("number.deleted", state=NumberState.DELETED, undo_until=NOW)
    assert await seen() == (False, False, True, False, 0)
    await become("number.undone", state=NumberState.ACTIVE, undo_until=None)
    assert await seen() == (True, True, False, True, 10)
    events = [e.what for e in await world.numbers.history(now, e164, 10)]
    assert events == ["number.undone", "number.deleted", "number.imported", "number.assigned", "number.got"]
