"""Refusals: a rule does not allow what was asked."""

from collections.abc import Mapping
from typing import Final

CODES: Final[Mapping[str, tuple[str, ...]]] = {
    # who somebody is
    "who_bot": (),
    "who_guest": (),
    "who_outsider": (),
    "who_deactivated": (),
    "person_unknown": ("who",),
    "person_ambiguous": ("who", "names"),
    # what somebody may
    "no_calling": ("tier", "have"),
    "not_set_up": ("admins",),
    "not_super_admin": ("admins",),
    "needs_seat": ("admins",),
    "addons_tier": ("tier",),
    # what was typed as a number
    "number_empty": (),
    "number_too_long": ("limit",),
    "number_letters": (),
    "number_two": (),
    "number_two_unclear": (),
    "number_emergency": (),
    "number_short": (),
    "number_impossible": ("country", "why"),
    "number_unknown_country": (),
    "number_double_zero": (),
    # what happens to a provided number
    "number_not_provided": (),
    "number_deleted": (),
    "number_porting": (),
    "number_ordered": (),
    "number_already_assigned": ("person",),
    "number_already_nobody": (),
    "forward_to_itself": (),
    "forward_loop": (),
    "forward_premium": (),
    "forward_short": (),
    "forward_emergency": (),
    "forwarding_unchanged": (),
    "confirm_mismatch": (),
    "undo_not_deleted": (),
    "undo_too_late": ("until",),
    "undo_no_room": ("limit",),
    # what is blocked
    "block_emergency": (),
    "block_extension": (),
    "block_star": (),
    "block_start_short": ("limit",),
    "block_start_long": (),
    "block_allow_start": (),
    "block_direction": (),
    "block_reason_long": ("limit",),
    "block_expires_unread": (),
    "block_expires_past": (),
    "block_expires_late": ("limit",),
    # a number of one's own
    "register_toll_free": (),
    "register_premium": (),
    "register_short": (),
    "register_emergency": (),
    "register_provided": (),
    "not_owner": (),
    "label_too_long": ("limit",),
    "extension_not_digits": ("limit",),
    "registered_unchanged": (),
    "code_empty": ("digits",),
    "code_not_digits": ("digits",),
    "code_wrong": ("left",),
    "code_expired": (),
    "code_tries": (),
    # what was written
    "text_empty": (),
    "text_long": ("limit", "length"),
    "email_wrong": (),
    "link_wrong": ("link",),
    "links_many": ("limit",),
    "files_many": ("limit",),
    # what happens to a ticket
    "ticket_not_yours": (),
    "not_specialist": (),
    "ticket_closed": (),
    "closed_already": (),
    "not_closed": (),
    "pending_already": (),
    "not_pending": (),
    "claimed_already": ("specialist",),
    "claimed_by_you": (),
    "assign_who": ("person",),
    "assigned_already": ("person",),
    "message_not_yours": (),
    "message_gone": (),
    "survey_open": (),
    "survey_done": (),
    "rating_wrong": (),
    # what is business critical
    "critical_who": ("admins",),
    "impact_missing": (),
    "escalate_closed": (),
    "escalate_already": (),
    "pressing_already": ("at",),
    "not_claimed_critical": (),
    "nothing_escalated": (),
    "escalated_already": (),
    "escalation_nobody": (),
    # callbacks
    "no_callback": (),
    "called_already": (),
    # what is asked
    "question_empty": (),
}
"""Every code that `domain` raises, with the params that its sentence may mention; checked by a test."""


class Refusal(Exception):
    """A rule does not allow it.

    Attributes:
        code: key of the sentence in the catalogues (`refusal.<code>`).
        field: the input that it concerns; None: the whole request.
        params: what the sentence mentions: str, int, date or datetime, or a tuple of str.
    """

    def __init__(self, code: str, field: str | None = None, **params: object) -> None:
        super().__init__(code)
        self.code = code
        self.field = field
        self.params = params

    def __repr__(self) -> str:
        return f"Refusal({self.code!r}, field={self.field!r}, {self.params!r})"
