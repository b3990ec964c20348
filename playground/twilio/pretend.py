"""The whole pretend Twilio: its account, what people do at their phones, and what tests make it do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

from playground.twilio.account import Account
from playground.twilio.calls import NOT_IN_SERVICE, Call
from playground.twilio.legs import Leg
from playground.twilio.webhooks import Answer, Webhook
from playground.twilio.world import new_sid


class PretendTwilio(Account):
    """A carrier that behaves toward the bot as Twilio does.

    `phone` is told of every text message and of every call that only says something: number, text, which of the two.
    `reach`: see `webhooks.Sender`. `path`: where the account is kept over a restart. `base_url` is the API's root, for
    TWILIO_API_URL. `troubles` is what Twilio's debugger would show, `journal` every request to the API, `webhooks`
    every one sent with its answer.
    """

    # ── Calls ───────────────────────────────────────────────────────────────────────────────────────────────────────

    async def call(self, frm: str, to: str) -> Call:
        """Somebody outside calls `to`; returns once a phone rings or the call is over.

        `frm` is what the network says of the caller: a number, `anonymous`, `+266696687`, a SIP address, or nothing.
        """
        number = self.world.owned(to)
        leg = Leg(new_sid("CA"), frm, to, "inbound", self.now())
        if number is None:
            return self._nobody(leg)
        leg.callback, leg.method = number["status_callback"], number["status_callback_method"]
        call = self._new(Call(self.exchange, leg))
        fallback = (number["voice_fallback_url"], number["voice_fallback_method"])
        await call.begin(number["voice_url"], number["voice_method"], fallback)
        return call

    async def dial_out(self, frm: str, to: str, **more: str) -> Call:
        """Somebody of the account calls `to`, from an app (`client:acme.ada`), a SIP phone or a number: the application
        is asked, with `more` parameters (`SipDomain`, or what the app adds). Done once a phone rings or it is over."""
        app = self.application
        leg = Leg(new_sid("CA"), frm, to, "inbound", self.now(), callback=app.status_callback)
        call = self._new(Call(self.exchange, leg, more={"ApplicationSid": app.sid, **more}))
        await call.begin(app.voice_url, "POST")
        return call

    def _nobody(self, leg: Leg) -> Call:
        """A number that is not the account's: Twilio and the bot never hear of the call."""
        call = self._new(Call(self.exchange, leg))
        leg.status, call.state, call.ending = "failed", "failed", "not in service"
        call.said.append(NOT_IN_SERVICE)
        self.changed()
        return call

    # ── What networks do, and attackers ─────────────────────────────────────────────────────────────────────────────

    def hold(self) -> None:
        """Holds status callbacks back from now on."""
        self.exchange.holding = True

    async def release(self, order: Callable[[list[Webhook]], Iterable[Webhook]] = reversed) -> None:
        """Sends the status callbacks that were held, by default the last first, and stops holding."""
        held, self.exchange.held, self.exchange.holding = self.exchange.held, [], False
        for webhook in order(held):
            await self.exchange.tell(webhook, webhook.params.get("CallSid", ""))

    async def repeat(self, webhook: Webhook) -> Answer:
        """Sends the same again: same parameters, same idempotency token, same signature."""
        return await self.sender.send(webhook)

    async def forge(
        self,
        webhook: Webhook,
        *,
        how: Literal["wrong token", "unsigned", "another URL", "changed"] = "wrong token",
    ) -> Answer:
        """Sends what Twilio never would: signed with another token, not at all, for another URL, or with a parameter
        changed after signing."""
        if how == "wrong token":
            return await self.sender.send(webhook, token="of another account")  # noqa: S106 # a wrong one
        if how == "unsigned":
            return await self.sender.send(webhook, signed="")
        elsewhere = Webhook(f"{webhook.url}x", webhook.params, webhook.method, webhook.id)
        if how == "another URL":
            return await self.sender.send(webhook, signed=self.sender.sign(elsewhere))
        changed = Webhook(webhook.url, {**webhook.params, "From": "+442079460999"}, webhook.method, webhook.id)
        return await self.sender.send(changed, signed=self.sender.sign(webhook))
