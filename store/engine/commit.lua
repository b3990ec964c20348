-- One change, whole or not at all: its guards, its writes, its line in the audit stream, its effects, its id.
--
-- KEYS  1 account hash · 2 done key · 3 audit stream · 4 wake zset · 5 owners hash · 6… what the plan names by position
-- ARGV  1 the plan, as JSON: engine/commit_core
-- Returns {"ok", state, …} · {"repeat", result} · {"account"} · {"guard", i, current}: engine/commit_core
--@include engine/commit_core

return commit()
