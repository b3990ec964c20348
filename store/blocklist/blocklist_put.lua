-- Entries with details, many at once: those of an import's lines that say why or until when. Run again it changes
-- nothing and answers as the first time.
--
-- KEYS  1 account hash · 2 entries (hash) · 3 by time (zset) · 4 by end (zset) · 5 find (zset of suffixes)
--       6 due zset · 7 imports (hash) · without an import 8 this call's own: engine/once
-- ARGV  1 revision · 2 now, ms · 3 member of the due zset ("": none) · 4 its fence
--       5 member of the due zset that clears away what has expired
--       6 import ("": none), of which the last batch is remembered · 7 its batch
--       8 member of the due zset that shows what is blocked on cards, due now where an entry is new
--       9… for each entry: name, value, made µs, until ms ("0": never), suffix rows joined by newlines
-- Returns {"account"}     the account's record has changed since: decide again
--         {"lease"}       the deadline is somebody else's by now
--         {"ok", 1|0, …}  of each: whether it is new; 0: there was one that has not expired
--@include engine/once

local first = ARGV[6] == '' and once_reply()
if first then
  return first
end
if redis.call('HGET', KEYS[1], 'rev') ~= ARGV[1] then
  return {'account'}
end
if ARGV[3] ~= '' then
  local score = redis.call('ZSCORE', KEYS[6], ARGV[3])
  if not score or tonumber(score) ~= tonumber(ARGV[4]) then
    return {'lease'}
  end
end
local now, answer, new = tonumber(ARGV[2]), {'ok'}, false
if ARGV[6] ~= '' then
  local batch, flags = string.match(redis.call('HGET', KEYS[7], ARGV[6] .. '|done') or '', '^(%d+) (%d*)$')
  if batch == ARGV[7] then
    for flag in string.gmatch(flags, '%d') do
      answer[#answer + 1] = tonumber(flag)
    end
    return answer
  end
end
for i = 9, #ARGV, 5 do
  local name, till = ARGV[i], ARGV[i + 3]
  local entry = redis.call('HGET', KEYS[2], name)
  local ends = entry and tonumber(string.match(entry, '^%a|(%d+)|'))
  if entry and (ends == 0 or ends > now) then
    answer[#answer + 1] = 0
  else
    redis.call('HSET', KEYS[2], name, ARGV[i + 1])
    redis.call('ZADD', KEYS[3], ARGV[i + 2], name)
    if till == '0' then
      redis.call('ZREM', KEYS[4], name)
    else
      redis.call('ZADD', KEYS[4], till, name)
      redis.call('ZADD', KEYS[6], 'LT', till, ARGV[5])
    end
    for row in string.gmatch(ARGV[i + 4], '[^\n]+') do
      redis.call('ZADD', KEYS[5], 0, row)
    end
    answer[#answer + 1], new = 1, true
  end
end
if new then
  redis.call('ZADD', KEYS[6], ARGV[2], ARGV[8])
end
if ARGV[6] ~= '' then
  redis.call('HSET', KEYS[7], ARGV[6] .. '|done', ARGV[7] .. ' ' .. table.concat(answer, '', 2))
  return answer
end
return once_keep(answer)
