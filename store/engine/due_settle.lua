-- A deadline that was taken is met, or comes again at another time. A commit does the same where something changes.
--
-- KEYS  1 deadlines zset · 2 this call's own: engine/once
-- ARGV  1 member · 2 fence, as taking it gave it · 3 when it comes again, ms; empty: never
-- Returns 1: done · 0: it is not the caller's any more, nothing done
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
