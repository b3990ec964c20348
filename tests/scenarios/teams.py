"""People at the pretend Teams: messages in their chat with the bot, cards that change in place, dialogs."""

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson

from tests import present
from tests.bot.teams.peer import PretendTeams
from tests.bot.teams.posting import Answer
from tests.bot.teams.world import BOT, Json, User, actions, inputs, parts, texts
from tests.bot.teams.world import Dialog as Shown
from tests.bot.teams.world import Message as Said
from tests.scenarios.actors import Dialog, Key, NotThere, Person, flat

CHANNEL: Final = "general"
HOME: Final = "home"
HOME_TITLE: Final = "Switchboard · "  # the home card bears the bot's name, in every language
_NESTED: Final = ("body", "items", "columns", "rows", "cells")  # what elements stand in
_MENTION: Final = re.compile(r"@(\w+)")


class TeamsPerson(Person):
    """Writes in their chat with the bot."""

    platform = "teams"

    def __init__(self, teams: PretendTeams, user: User) -> None:
        super().__init__(user.name)
        self._teams = teams
        self._user = user
        self._missing: dict[str, str] = {}  # what Teams' client itself finds wrong in the dialog, by label
        self._accepted: set[str] = set()  # offers of files
        self._last: Answer | None = None
        self._below: dict[str, str] = {}  # what they wrote in threads, by the head's id
        self._notice: tuple[int, Shown | None] = (0, None)  # the dialog that only says something, and which one it is

    async def _command(self, text: str, *, channel: bool) -> None:
        names = {user.name.casefold(): user.name for user in self._teams.world.users.values()}
        await self._put_away()
        named = _MENTION.sub(lambda found: f"@{names.get(found[1].casefold(), found[1])}", text)
        await self._act(self._teams.say(self._user.id, named, CHANNEL if channel else ""))

    async def _say(self, text: str) -> None:
        await self._put_away()
        await self._act(self._teams.say(self._user.id, text))

    async def _drop(self, name: str, content: bytes, text: str) -> None:
        await self._put_away()
        await self._act(self._teams.say(self._user.id, text, files={name: content}))

    async def _take(self, name: str) -> bytes | None:
        """Says yes to the newest offer of that name."""
        offers = [m for m in self._teams.offers(self._user.id) if m.activity["attachments"][0]["name"] == name]
        if offers and offers[-1].id not in self._accepted:
            self._accepted.add(offers[-1].id)
            answer = await self._teams.decide(self._user.id, True, offers[-1])
            assert answer.ok, f"{self}: {answer.status}"
        return self._teams.downloads(self._user.id).get(name)

    async def _open_asked(self, title: str) -> None:
        await self.presses(title, just_come=True)

    def _everything(self) -> dict[Key, Said]:
        places = [c for c in self._teams.world.conversations.values() if self._user.id in c.members]
        seen = (message for place in places for message in self._teams.world.seen(self._user, place))
        return {(m.conversation, m.id): m for m in seen if m.sender == BOT}

    def _messages(self) -> dict[Key, Said]:
        """All but the home card, which has its own place here as it has on other platforms."""
        return {key: m for key, m in self._everything().items() if not _words(m).startswith(HOME_TITLE)}

    def _screens(self) -> dict[Key, str]:
        shown = {key: _words(message) for key, message in self._messages().items()}
        notice = self._shown()
        if notice is not None and _submit(notice) is None:
            if notice is not self._notice[1]:
                self._notice = (self._notice[0] + 1, notice)
            shown[self._notice[0]] = _words(notice)
        return shown

    def _told(self) -> list[str]:
        return [_words(m) for m in self._teams.said(self._user.id) if not m.notice]

    def _at(self, screen: Key) -> Said | Shown:
        notice = self._shown()
        return notice if screen == self._notice[0] and notice is not None else self._messages()[screen]

    def _shown(self) -> Shown | None:
        return self._teams.world.dialogs.get(self._user.id)

    def _dialog(self) -> Dialog | None:
        """A dialog that only says something counts as a message: it has nothing to send off."""
        shown = self._shown()
        send = _submit(shown) if shown else None
        if shown is None or shown.card is None or send is None:
            return None
        known = inputs(shown.card)
        fields = {_label(part): _chosen(part, shown.values.get(id, "")) for id, part in known.items()}
        errors = {**dict(_reasons(shown.card)), **self._missing}
        return Dialog(shown.title, _words(shown), send["title"], fields, errors)

    def _has(self, screen: Key, label: str, near: str) -> bool:
        return _find(self._at(screen).card or {}, label, near) is not None

    async def _press(self, screen: Key, label: str, near: str, forged: Mapping[str, str]) -> None:
        shown = self._at(screen)
        action = present(_find(shown.card or {}, label, near))
        place: Any = {"dialog": shown} if isinstance(shown, Shown) else {"message": shown}
        if not isinstance(shown, Shown):
            await self._put_away()
        await self._act(self._teams._use(self._user, _changed(action, forged), **place))

    async def _press_in_dialog(self, label: str) -> None:
        shown = present(self._shown())
        action = _find(shown.card or {}, label, "")
        if action is None:
            raise NotThere(f"{self}: no {label!r} on {shown.words()}")
        await self._act(self._teams._use(self._user, action, dialog=shown))

    async def _fill(self, values: Mapping[str, str]) -> None:
        for label, value in values.items():
            shown = present(self._shown())
            try:
                self._teams.enter(self._user.id, {label: _entitled(shown.card or {}, label, value)})
            except LookupError as missing:
                raise NotThere(f"{self}: {missing}") from None
            redraw = _redraw(shown.card or {}, label)
            if redraw is not None:
                await self._act(self._teams._use(self._user, redraw, dialog=shown))

    async def _send(self, forged: Mapping[str, str]) -> None:
        shown = present(self._shown())
        send = present(_submit(shown))
        await self._act(self._teams._use(self._user, _changed(send, forged), dialog=shown))

    async def _close(self) -> None:
        await self._teams.close(self._user.id)

    async def _open_home(self) -> None:
        before = set(self._homes())
        await self._command(HOME, channel=False)
        await self._until(lambda: bool(self._homes().keys() - before), "no home card came")

    def _homes(self) -> dict[Key, Said]:
        """The home cards, the one that is kept up to date last."""
        return {key: m for key, m in self._everything().items() if _words(m).startswith(HOME_TITLE)}

    def _home(self) -> str | None:
        return next((_words(message) for message in reversed(self._homes().values())), None)

    async def _press_at_home(self, label: str, near: str) -> None:
        message = list(self._homes().values())[-1]
        action = _find(message.card or {}, label, near)
        if action is None:
            raise NotThere(f"{self}: no {label!r} near {near!r} at home: {_words(message)}")
        await self._put_away()
        await self._act(self._teams._use(self._user, action, message=message))

    async def _reply(self, screen: Key, text: str) -> None:
        await self._put_away()
        head = self._messages()[screen]
        place, _, root = head.conversation.partition(";messageid=")
        where = self._teams.world.conversations[place]
        if where.kind == "personal":
            await self._act(self._teams.say(self._user.id, text))
            return
        root = root or head.id
        await self._act(self._teams.say(self._user.id, text, where.name, thread=root, aside=True))
        self._below[self._teams.world.messages[-1].id] = root

    def _said(self, text: str) -> Said:
        found = [m for m in self._teams.world.messages if m.sender == self._user.id and text in m.text]
        if not found:
            raise NotThere(f"{self} has not said {text!r}")
        return found[-1]

    async def _change(self, was: str, becomes: str) -> None:
        said = self._said(was)
        await self._act(self._teams.edit(self._user.id, said, becomes, thread=self._below.get(said.id)))

    async def _take_back(self, text: str) -> None:
        said = self._said(text)
        await self._act(self._teams.take_back(self._user.id, said, thread=self._below.get(said.id)))

    async def _repeat(self, times: int) -> None:
        assert self._last is not None, f"{self} has done nothing"
        for again in await self._teams.repeat(self._last, times):
            assert again.ok, f"{self}: {again.status} {again.body}"

    async def _put_away(self) -> None:
        """Closes a dialog that only says something: it stands before everything else."""
        notice = self._shown()
        if notice is not None and _submit(notice) is None:
            await self._teams.close(self._user.id)

    async def _act(self, doing: Any) -> None:
        done: Answer = await doing
        self._missing = dict(done.errors)
        assert done.ok or done.errors, f"{self}: {done.status} {done.body} {self._teams.refused}"
        self._last = done


def _words(shown: Said | Shown) -> str:
    """Everything that can be read on a message or a dialog."""
    title = shown.title if isinstance(shown, Shown) else ""
    return flat(f"{title} {_read(shown.card) if shown.card is not None else shown.text}")


def _read(thing: Any) -> str:
    """The words of a card, a part of one or several, as they are read: the runs of one line together."""
    if isinstance(thing, list):
        return flat(" ".join(map(_read, thing)))
    if thing.get("type") == "RichTextBlock":
        return flat("".join(run["text"] for run in thing["inlines"]))
    if thing.get("type") == "Chart.HorizontalBar":
        return flat(" ".join([thing["title"], *(f"{bar['x']} {bar['y']}" for bar in thing["data"])]))
    inside = [part for name in _NESTED if (part := thing.get(name))]
    return flat(" ".join([*texts({k: v for k, v in thing.items() if k not in _NESTED}), *map(_read, inside)]))


# ── Reading cards ───────────────────────────────────────────────────────────────────────────────────────────────────


def _find(card: Json, label: str, near: str) -> Json | None:
    """The action with that title that a person can reach; `near`: beside that text, or in the menu of what is beside
    it. Raises NotThere where several are."""
    found = [action for action, place in _reachable(card) if action.get("title") == label and near in place]
    if len(found) == 2 and found[0]["type"] == "Action.ToggleVisibility":
        found = found[1:]  # it shows a question whose yes has its name: people press both
    if len(found) > 1:
        raise NotThere(f"{len(found)} controls go by {label!r}: say near what")
    return found[0] if found else None


def _reachable(card: Json) -> Iterator[tuple[Json, str]]:
    """Every action, with the words of the part of the card that it belongs to. What is hidden belongs to the part that
    shows it."""
    owners: dict[str, str] = {}
    for part in card.get("body", ()):
        words = _read(part)
        if part.get("isVisible") is False:
            if part.get("id") not in owners:
                continue
            words = owners[part["id"]]
        for action, _ in actions(part):
            if action["type"] == "Action.ToggleVisibility":
                owners.update(dict.fromkeys(action["targetElements"], words))
            yield action, words
    for action in card.get("actions", ()):
        yield action, ""


def _submit(shown: Shown) -> Json | None:
    """The button that sends a dialog off."""
    sending = [a for a in (shown.card or {}).get("actions", ()) if a["type"] == "Action.Submit"]
    return sending[0] if sending else None


def _entitled(card: Json, label: str, value: str) -> str:
    """The title of the option with that label: what is noted about it follows it."""
    known = [part for part in inputs(card).values() if _label(part) == label]
    titles = [str(choice["title"]) for part in known for choice in part.get("choices", ())]
    return next((title for title in titles if title.startswith(f"{value} · ")), value)


def _redraw(card: Json, label: str) -> Json | None:
    """The button that draws a form anew for what was chosen in the field."""
    id = next(id for id, part in inputs(card).items() if _label(part) == label)
    live = (a for a, _ in actions(card) if isinstance(a.get("data"), dict) and a["data"].get("live") == id)
    return next(live, None)


def _label(part: Json) -> str:
    return str(part.get("label") or part.get("title") or part["id"])


def _chosen(part: Json, value: str) -> str:
    """A field's value as its reader sees it."""
    return next((str(c["title"]) for c in part.get("choices", ()) if c["value"] == value), value)


def _reasons(card: Json) -> Iterator[tuple[str, str]]:
    """The sentence right below an input that says what is wrong with it, by the input's label."""
    body = card.get("body", [])
    for part, below in itertools.pairwise(body):
        wrong = any(p.get("color") == "Attention" for p in parts(below))
        if str(part["type"]).startswith("Input.") and wrong:
            yield _label(part), _read(below)


def _changed(action: Json, forged: Mapping[str, str]) -> Json:
    text = orjson.dumps(action).decode()
    for was, becomes in forged.items():
        assert was in text, f"{was!r} is not in {text}"
        text = text.replace(was, becomes)
    changed: Json = orjson.loads(text)
    return changed
