"""A pretend Twilio: its core API with the account behind it, and calls that come in and go out.

It shares nothing with the bot it stands opposite to; whatever passes between the two is HTTP in Twilio's shapes: the
API's requests in one direction, signed webhooks and TwiML in the other. `pretend.PretendTwilio` is what people do in
it, `server.serve_twilio` serves it alone.
"""
