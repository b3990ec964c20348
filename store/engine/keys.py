"""Every key of the store: its form, its type and its lifetime.

A **cell** is a hash tag: what must change together lies in one cell, so that one script can change it, on one node or
in a cluster. There are 256, one in each range of 64 slots, so that they spread evenly over any number of primaries.

| key | type | holds | life |
|---|---|---|---|
| `dir:account:ID` | string | the cell of an account | with the account |
| `dir:workspace:PLATFORM:ID` | string | the account that a workspace or tenant belongs to | with the mapping |
| `dir:number:E164` | string | the account that owns a provided number | until released; minutes until permanent |
| `dir:accounts` | set | ids of all accounts | permanent |
| `dir:install:PLATFORM:WORKSPACE` | string | tokens of an installation and who installed it | until removed |
| `dir:process` | zset, ms | processes that share the sweep, by heartbeat | a lease each |
| `dir:upload:EFFECT` | string | the platform's id of an effect's file that is uploaded and not posted | 2 hours |
| `dir:oauth:PLATFORM:STATE` | string | an installation that was begun here | 10 minutes |
| `{cell}:a:ID` | hash | `rev`, `doc`: an account's record; `at`: when it was applied, ms | with the account |
| `{cell}:a:ID:num` | hash | provided numbers, E.164 to record | until released |
| `{cell}:a:ID:idx` | zset, by member | provided numbers that are not deleted | |
| `{cell}:a:ID:find` | zset, by member | `digits\\|E164`, one for each suffix: substring search | |
| `{cell}:a:ID:slots` | set | provided numbers that hold a slot of the plan | |
| `{cell}:a:ID:orders` | hash | orders, E.164 to order | until bought or refused, or a day after |
| `{cell}:a:ID:bin` | zset, ms | deleted numbers by the end of their undo time | |
| `{cell}:a:ID:of:PERSON` | zset, by member | provided numbers assigned to a person | |
| `{cell}:a:ID:reg:PERSON` | hash | a person's registered outbound numbers | until deleted |
| `{cell}:a:ID:code:PERSON` | hash | challenges under way, by number | 10 minutes after the last |
| `{cell}:a:ID:sends:PERSON` | zset, ms | codes sent in the last hour | 1 hour |
| `{cell}:a:ID:use:MONTH` | hash | minutes: `minutes`, `n:E164`, `p:PERSON`, `d:DAY`; `told:ALERT` | 13 months |
| `{cell}:a:ID:call:CALL` | hash | `note` of its facts, `leg:LEG` counted legs, s; `dialled`, `wait` | 48 hours |
| `{cell}:a:ID:reach` | hash | `person\\|platform` to where a person was last seen, and whether they opened home | |
| `{cell}:a:ID:names` | hash | names of people who have numbers without being listed | with the account |
| `{cell}:a:ID:log:E164` | stream | a number's history | 500 entries |
| `{cell}:a:ID:ask:PERSON` | hash | the last question and what was found; `r:ARTICLE`: when it was read | 24 hours |
| `{cell}:a:ID:voted:PERSON` | hash | article to `yes` or `no`: whether it helped a person | until erased |
| `{cell}:a:ID:helpful` | hash | `yes\\|ARTICLE`, `no\\|ARTICLE` to number of votes | with the account |
| `{cell}:a:ID:asks:WEEK` | hash | `asked`, `open`: questions of a week, and those without an answer | 13 weeks |
| `{cell}:a:ID:gap:WEEK` | zset | questions without an answer, anonymous, by frequency | 13 weeks |
| `{cell}:a:ID:link:PLATFORM:USER` | string | the platform's record of a user who is not listed | 24 hours |
| `{cell}:a:ID:blob:NAME` | hash | `size`, `chunks`, and by number the zlib-compressed chunks of a file | its writer's |
| `{cell}:a:ID:blk` | hash | blocklist entries: `kind\\|value` to `direction\\|until\\|record` | until removed |
| `{cell}:a:ID:blk:at` | zset, µs | the same by creation time | |
| `{cell}:a:ID:blk:until` | zset, ms | the same by end, if they expire | |
| `{cell}:a:ID:blk:find` | zset, by member | `digits\\|entry`, one for each suffix: substring search | |
| `{cell}:a:ID:blk:set` | hash | `off`; state of each set of imported numbers (`numberset.py`) | with the account |
| `{cell}:a:ID:blk:job` | hash | imports, and counts of their batches | with the account |
| `{cell}:a:ID:b:WHICH:LEVEL:BUCKET` | set of int | imported numbers, packed | until removed |
| `{cell}:a:ID:imp:UPLOAD` | hash | `doc`: an upload | 7 days after its last change |
| `{cell}:a:ID:unblk:ENTRY` | string | a removed entry that can be restored | 7 days |
| `{cell}:a:ID:audit` | stream | who changed what, when | 100,000 entries |
| `{cell}:a:ID:done:CHANGE` | string | the result of a change, by its id | 24 hours |
| `{cell}:ob:CONVERSATION` | list | effects waiting, oldest first: `ms written\\|JSON` | until sent |
| `{cell}:wake` | zset, ms | `ob\\|conversation` by end of lease or next try | |
| `{cell}:due` | zset, ms by the bot's clock | `kind\\|account\\|name`: deadlines, or end of lease | until met |
| `{cell}:own` | hash | conversation to `owner\\|ends\\|tries\\|doubt`; no owner: back-off | while not empty |
| `{cell}:at:PLATFORM:WORKSPACE` | hash | where people and channels are: `bot/teams/conversations.py` | permanent |
| `{cell}:a:ID:draft:PERSON` | hash | form drafts of a person, by channel | 7 days |
| `{cell}:a:ID:t` | hash | tickets, number to record | `retention_days` after closing |
| `{cell}:a:ID:t:seq` | string | the last ticket's number | with the account |
| `{cell}:a:ID:t:log:NUMBER` | hash | a ticket's timeline, message id to record | with the ticket |
| `{cell}:a:ID:t:in:SCOPE:VIEW` | zset, ms | all, open, closed tickets of the account (`*`) or a person; stars | |
| `{cell}:a:ID:t:desk:WHOSE` | zset, ms | open tickets by due time: a specialist's, or unassigned (`-`, premium `+`) | |
| `{cell}:a:ID:t:calls` | zset, ms | tickets with a callback to make, by due time | until made |
| `{cell}:a:ID:t:lost` | hash | `place`, `why`, `since` of a desk that can't be written to | until it can |
| `{cell}:a:ID:t:find` | zset, by member | `word\\|NUMBER`: words of tickets | with the tickets |
| `{cell}:a:ID:t:words` | hash | number to ` word word`: all words of a ticket | with the tickets |
| `{cell}:a:ID:t:kept:MONTH` | zset, by member | promises that ended: `store/support/promise_records.py` | 25 months |
| `{cell}:a:ID:t:gone` | hash | month to how many tickets created in it are deleted | with the account |
| `{cell}:a:ID:erase` | hash | `job`: the erasure under way and its progress (`store/privacy/erasure.py`) | until done |
| `{cell}:a:ID:erase:left` | zset | tickets that it changed, whose posts are still to be updated | until done |
| `KEY:new` | stream | copy of a stream that is rewritten, until it replaces the stream | until done |
| `{cell}:a:ID:post:GROUP` | hash | posts of a ticket: key to `platform\\|workspace\\|message` | with the ticket |
| `{cell}:a:ID:posted` | hash | `platform\\|workspace\\|message` to the post's key | with the post |
| `{cell}:a:ID:early:PERSON` | hash | early edits, by message | 1 hour |
| `{cell}:offer:EFFECT` | string | a file that was offered to somebody, and its state | 24 hours |
| `{cell}:offer:EFFECT:busy` | string | the file is being uploaded now | 2 minutes |
| `{cell}:greeted` | hash | `platform\\|workspace\\|user` who was welcomed | permanent |
| `{cell}:dead` | stream | dead letters | 1,000 entries |
| `{cell}:once:CALL` | string | the first reply to an attempt: `engine/once.lua` | 1 minute |
"""

import secrets
from binascii import crc32
from collections.abc import Callable
from dataclasses import InitVar, dataclass, field

PREFIX = "sb:"

# The shortest hex tag that falls into each range of 64 slots, in the order of the ranges (`test_keys.py`).
CELLS: tuple[str, ...] = tuple(
    (
        "021 14 025 10 029 bd 0ae 18 e4 0f1 cc 0f5 07 032 03 036 ae 018 29 0bd 25 010 21 014 3 36 7 32 0cc f5 0e4 "
        "f1 0fd 69 058 c6 054 0b 03c 0f 1a 02d 1e 043 b1 0a4 b5 0a0 3c f 54 b 58 0c6 fd 069 0b5 a0 0b1 a4 01e 43 "
        "01a 2d 020 15 024 11 028 be 0ad 19 cf 0f0 cb 0f4 06 033 02 037 ad 019 28 0be 24 011 20 015 2 37 6 33 0cb "
        "f4 0cf f0 0fe 68 059 c7 03f 0c 03b 64 73 02e 1d 02a b0 0a5 b4 0a1 3b 064 3f c 59 0c7 fe 068 0b4 a1 0b0 "
        "a5 01d 2a 073 2e 16 023 12 027 bf 0ac bb 21a 038 ce 0f7 09 030 05 034 01 0bb 133 0bf ac 012 27 016 23 34 "
        "1 30 5 f7 9 38 0ce c0 0ff c4 0fb 63 03e 0d 03a 02f 1c 02b 74 0a6 78 049 b7 d 3a 063 3e 0c4 fb 0c0 ff 49 "
        "0b7 a6 078 2b 074 2f 01c 17 022 13 026 d4 0ab bc 0af 039 cd 0f6 08 031 04 035 00 0bc af 0d4 ab 013 26 "
        "017 22 35 0 31 4 f6 8 39 0cd c1 202 c5 0fc 0a 03d 0e 053 044 1b 02c 1f 0a7 79 048 b6 e 53 a 3d 0c5 fc "
        "0c1 143 48 0b6 a7 079 2c 01f 44 01b "
    ).split()
)


def cell_of(account: str) -> str:
    """The tag of a new account's cell. An existing account's cell is the one in its directory entry."""
    return CELLS[crc32(account.encode()) % len(CELLS)]


def _cell(tag: str, rest: str) -> str:
    return f"{PREFIX}{{{tag}}}:{rest}"


# The directory: keys outside all cells.


def dir_account(account: str) -> str:
    return f"{PREFIX}dir:account:{account}"


def dir_workspace(platform: str, workspace: str) -> str:
    return f"{PREFIX}dir:workspace:{platform}:{workspace}"


def dir_number(e164: str) -> str:
    return f"{PREFIX}dir:number:{e164}"


def dir_accounts() -> str:
    return f"{PREFIX}dir:accounts"


def dir_install(platform: str, workspace: str) -> str:
    return f"{PREFIX}dir:install:{platform}:{workspace}"


def dir_oauth(platform: str, state: str) -> str:
    return f"{PREFIX}dir:oauth:{platform}:{state}"


def dir_upload(effect: str) -> str:
    return f"{PREFIX}dir:upload:{effect}"


def dir_process() -> str:
    return f"{PREFIX}dir:process"


class _AccountKey:
    """A key of `AccountKeys` that an account has once: the record's key and `rest`."""

    def __init__(self, rest: str) -> None:
        self._rest = rest

    def __get__(self, keys: "AccountKeys", _owner: type) -> str:
        return f"{keys.account}:{self._rest}"


def _key_of_each(part: str) -> Callable[["AccountKeys", str | int], str]:
    """A method of `AccountKeys` that returns the key of one person, month, call …: record's key, `part`, its name."""

    def key(keys: "AccountKeys", name: str | int) -> str:
        return f"{keys.account}:{part}:{name}"

    return key


@dataclass(frozen=True, slots=True)
class AccountKeys:
    """The keys of the account `id`, all in the cell `tag`. `account`: the key of its record, with which the others
    begin."""

    tag: InitVar[str]
    id: InitVar[str]
    account: str = field(init=False)

    def __post_init__(self, tag: str, id: str) -> None:
        object.__setattr__(self, "account", _cell(tag, f"a:{id}"))

    numbers = _AccountKey("num")
    index = _AccountKey("idx")
    find = _AccountKey("find")
    slots = _AccountKey("slots")
    orders = _AccountKey("orders")
    deleted = _AccountKey("bin")
    reach = _AccountKey("reach")
    names = _AccountKey("names")
    blocked = _AccountKey("blk")
    blocked_at = _AccountKey("blk:at")
    blocked_until = _AccountKey("blk:until")
    blocked_find = _AccountKey("blk:find")
    blocked_sets = _AccountKey("blk:set")
    blocked_imports = _AccountKey("blk:job")
    helpful = _AccountKey("helpful")
    tickets = _AccountKey("t")
    tickets_seq = _AccountKey("t:seq")
    desk_lost = _AccountKey("t:lost")
    callbacks = _AccountKey("t:calls")
    tickets_find = _AccountKey("t:find")
    tickets_words = _AccountKey("t:words")
    tickets_gone = _AccountKey("t:gone")
    erasing = _AccountKey("erase")
    erasing_left = _AccountKey("erase:left")
    posted = _AccountKey("posted")
    audit = _AccountKey("audit")

    # Of one person:
    numbers_of = _key_of_each("of")
    registered = _key_of_each("reg")
    codes = _key_of_each("code")
    code_sends = _key_of_each("sends")
    drafts = _key_of_each("draft")
    asked = _key_of_each("ask")
    voted = _key_of_each("voted")
    early = _key_of_each("early")
    # Of one number, month, week, call, upload, blocklist entry, blob, ticket, queue, group of posts, change:
    history = _key_of_each("log")
    usage = _key_of_each("use")
    promises_kept = _key_of_each("t:kept")
    asks = _key_of_each("asks")
    gaps = _key_of_each("gap")
    call = _key_of_each("call")
    upload = _key_of_each("imp")
    removed = _key_of_each("unblk")
    blob = _key_of_each("blob")
    timeline = _key_of_each("t:log")
    desk = _key_of_each("t:desk")
    posts = _key_of_each("post")
    done = _key_of_each("done")

    def blocked_bucket(self, which: str, level: str, bucket: str) -> str:
        return f"{self.account}:b:{which}:{level}:{bucket}"

    def link(self, platform: str, user: str) -> str:
        return f"{self.account}:link:{platform}:{user}"

    def inbox(self, scope: str, view: str) -> str:
        return f"{self.account}:t:in:{scope}:{view}"


def copied(key: str) -> str:
    """The key of a stream's copy while the stream is rewritten."""
    return f"{key}:new"


# Keys that each cell has: the outbox, deadlines, and others.


def outbox(tag: str, conversation: str) -> str:
    return _cell(tag, f"ob:{conversation}")


def wake(tag: str) -> str:
    return _cell(tag, "wake")


def due(tag: str) -> str:
    return _cell(tag, "due")


def owners(tag: str) -> str:
    return _cell(tag, "own")


def places(tag: str, platform: str, workspace: str) -> str:
    return _cell(tag, f"at:{platform}:{workspace}")


def offer(tag: str, effect: str) -> str:
    return _cell(tag, f"offer:{effect}")


def offer_busy(tag: str, effect: str) -> str:
    return _cell(tag, f"offer:{effect}:busy")


def greeted(tag: str) -> str:
    return _cell(tag, "greeted")


def dead(tag: str) -> str:
    return _cell(tag, "dead")


def attempt(tag: str, call: str) -> str:
    return _cell(tag, f"once:{call}")


def attempt_key(tag: str) -> str:
    """A new key for one call, passed as the script's last; a call in doubt is repeated with the same key."""
    return attempt(tag, secrets.token_hex(8))
