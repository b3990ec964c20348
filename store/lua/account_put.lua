-- An account's record, by compare and set on its revision.
--
-- KEYS  1 account hash · 2 audit stream
-- ARGV  1 the revision it was read at (0: there was none) · 2 the record, JSON · 3 line for the audit stream
-- Returns the new revision; 0 when the record is at another one. Run again after an answer that was lost, it finds its
-- own record and says the same.

local rev = tonumber(redis.call('HGET', KEYS[1], 'rev') or '0')
if redis.call('HGET', KEYS[1], 'doc') == ARGV[2] then
  return rev
end
if rev ~= tonumber(ARGV[1]) then
  return 0
end
redis.call('HSET', KEYS[1], 'rev', rev + 1, 'doc', ARGV[2])
redis.call('XADD', KEYS[2], 'MAXLEN', '~', 100000, '*', 'e', ARGV[3])
return rev + 1
