"""Slack's limits for what is drawn. Lengths are in UTF-16 units, as Slack counts them.

Source: https://docs.slack.dev/reference/block-kit and …/surfaces/modals, 2026-11. Where the pages disagree (an option's
value: 75 or 150), the smaller number stands here.
"""

from typing import Final

MESSAGE_BLOCKS: Final = 50
VIEW_BLOCKS: Final = 100  # modal and home
MESSAGE_TEXT: Final = 3_000  # of the fallback; Slack takes more, nobody listens to more
TITLE: Final = 24  # of a modal; so are submit and close
METADATA: Final = 3_000
NAME: Final = 255  # block_id, action_id, callback_id

HEADER: Final = 150
SECTION: Final = 3_000
FIELDS: Final = 10
FIELD: Final = 2_000
CONTEXT: Final = 2_000
RICH_ELEMENTS: Final = 1_000
RICH_TEXT: Final = 3_000

BUTTON: Final = 75  # its text and its accessibility label
BUTTON_VALUE: Final = 2_000
BUTTONS_IN_ROW: Final = 5  # Slack takes 25; more than five wrap badly on a telephone
URL: Final = 3_000
CONFIRM_TITLE: Final = 100
CONFIRM_TEXT: Final = 300
CONFIRM_BUTTON: Final = 30

OVERFLOW: Final = 5
OPTION: Final = 75  # text, description and value
SELECT: Final = 100
RADIOS: Final = 10
FILES: Final = 10  # of a file input, each up to 10 MB
LABEL: Final = 2_000  # of an input; so is its hint
PLACEHOLDER: Final = 150
INPUT: Final = 3_000

TABLE_ROWS: Final = 100
TABLE_COLUMNS: Final = 20
TABLE_TEXT: Final = 10_000  # of all cells together

# https://docs.slack.dev/reference/block-kit/blocks/data-visualization-block, 2026-11
CHARTS: Final = 2  # in a message; there are none elsewhere
CHART_TITLE: Final = 50  # and that of an axis
CHART_LABEL: Final = 20
CHART_BARS: Final = 20

ERROR: Final = 2_000
DATE_MAX: Final = 9_999_999_999  # the latest timestamp that a date takes
