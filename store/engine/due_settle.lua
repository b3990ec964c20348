-- Removes a deadline that was taken, or sets its next time, if the caller's lease still holds. Commits that change
-- something do the same with Plan.meet_deadline.
--
-- KEYS  1 deadlines zset · 2 key of this attempt: engine/once
-- ARGV  1 member · 2 fencing token that taking it returned · 3 next time, ms; empty: remove it
-- Returns 1 if done · 0 if the lease was lost: nothing was changed
--@include engine/once

local done = once_reply()
if done then
  return done
end
local score = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not score or tonumber(score) ~= tonumber(ARGV[2]) then
  return 0
end
if ARGV[3] == '' then
  redis.call('ZREM', KEYS[1], ARGV[1])
else
  redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1])
end
return once_keep(1)
