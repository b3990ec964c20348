-- Writes an account's record if it is still at the revision that was read, and makes the deadlines of its tickets due
-- now, because what is promised follows from the record. Run again, it finds its own record and returns the same.
--
-- KEYS  1 account hash · 2 audit stream · 3 deadlines zset · 4 number of the last ticket (string; missing: no tickets)
-- ARGV  1 revision that was read (0: no record) · 2 record, JSON · 3 entry for the audit stream, JSON
--       4 the bot's time, ms · 5… deadlines of the account's tickets
-- Returns the new revision, or 0 if the record is at another one.

local rev = tonumber(redis.call('HGET', KEYS[1], 'rev') or '0')
if redis.call('HGET', KEYS[1], 'doc') == ARGV[2] then
  return rev
end
if rev ~= tonumber(ARGV[1]) then
  return 0
end
redis.call('HSET', KEYS[1], 'rev', rev + 1, 'doc', ARGV[2], 'at', ARGV[4])
redis.call('XADD', KEYS[2], 'MAXLEN', '~', 100000, '*', 'e', ARGV[3])
if redis.call('EXISTS', KEYS[4]) == 1 then
  for i = 5, #ARGV do
    redis.call('ZADD', KEYS[3], ARGV[4], ARGV[i])
  end
end
return rev + 1
