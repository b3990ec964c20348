"""Teams' limits for what is drawn. Lengths are in characters, sizes in bytes of UTF-8.

Source: https://learn.microsoft.com/microsoftteams/platform, 2026-11 (cards reference, dialogs, store validation). Where
Teams states no limit, what stands here is what a card can show and stay readable.
"""

from typing import Final

VERSION: Final = "1.5"  # the newest version that every Teams client draws
MESSAGE: Final = 28 * 1024  # a message with everything in it
ENVELOPE: Final = 4 * 1024  # of it: addresses, ids and the words alone, which stand around the card
CARD: Final = MESSAGE - ENVELOPE  # the attachment

ACTIONS: Final = 6  # buttons seen at once on a card; Teams draws no more in a set either
SET_WIDTH: Final = 32  # characters of labels and frames that stand side by side at 320 px
ROWS: Final = 120  # more never fit into the bytes, so more are not drawn
BLOCKS: Final = 200  # likewise
BARS: Final = 20  # of a chart; more are thinner than a finger
TABLE_COLUMNS: Final = 4  # more are unreadable at 320 px: such a table becomes a list

TITLE: Final = 150
DIALOG_TITLE: Final = 64
TEXT: Final = 3_000
WORDS: Final = 600  # of the words alone: at four bytes each, they leave room in the envelope
LABEL: Final = 200  # of a fact, a field, a column
BUTTON: Final = 75
SPOKEN: Final = 150
OPTION: Final = 120
OPEN_OPTIONS: Final = 10  # seen all at once
LISTED_OPTIONS: Final = 15  # in a list without a search
OPTIONS: Final = 150
URL: Final = 2_000

ACTION: Final = 255  # what comes back: an action, a field's name, a form's id
VALUE: Final = 2_000  # a button's value
INPUT: Final = 4_000  # what is typed into one field
FIELDS: Final = 100
STATE: Final = 6_000  # a form's state, keys and values together
