"""The world around the bot, for the demo and the tests: a pretend Slack (`slack`), a pretend Twilio (`twilio`), the web
page that shows both (`page`), Microsoft's playground for Teams (`teams`) and the demo's data (`data`).

It imports nothing of the bot: all that passes between them is HTTP (or a WebSocket) in the shapes of Slack and Twilio.
Start with `server.serve` or `server.routes`; `slack.pretend.PretendSlack` has what people do in Slack, and
`twilio.pretend.PretendTwilio` what they do at their phones.
"""
