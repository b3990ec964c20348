-- An account's record, by compare and set on its revision. What is promised follows from it: its tickets are due.
--
-- KEYS  1 account hash · 2 audit stream · 3 deadlines · 4 the last ticket's number, if there is one
-- ARGV  1 the revision it was read at (0: there was none) · 2 the record, JSON · 3 line for the audit stream
--       4 the bot's time, ms · 5… deadlines of all its tickets
-- Returns the new revision; 0 when the record is at another one. Run again after an answer that was lost, it finds its
-- own record and says the same.

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
