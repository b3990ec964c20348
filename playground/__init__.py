"""A pretend Slack: the demo's workspace in a web page, and the tests' strict peer.

It shares nothing with the bot it stands opposite to; whatever passes between the two is HTTP (or a WebSocket) in
Slack's shapes. Start with ``server.serve`` or ``server.routes``;
``slack.pretend.PretendSlack`` is what people do in it.
"""
