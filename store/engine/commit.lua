-- Commits a plan, all or nothing: checks its guards, then makes its writes, adds its audit entry and its effects, and
-- stores its result under its id.
--
-- KEYS  1 account hash · 2 done key · 3 audit stream · 4 wake zset · 5 owners hash · 6… what the plan names by position
-- ARGV  1 plan, JSON: engine/commit_core
-- Returns {"ok", state, …} · {"repeat", result} · {"account"} · {"guard", i, current}: engine/commit_core
--@include engine/commit_core

return commit()
