-- Adds entries with details: lines of an import that have a reason or an end. Run again, it changes nothing and returns
-- the same.
--
-- KEYS  1 account hash · 2 entries (hash) · 3 entries by time (zset) · 4 by end (zset) · 5 suffixes (zset)
--       6 deadlines zset · 7 imports (hash) · 8 without an import: key of this attempt: engine/once
-- ARGV  1 revision · 2 now, ms · 3 the caller's deadline ("": none) · 4 its fencing token
--       5 deadline at which expired entries are deleted
--       6 import ("": none), of which the result of the last batch is stored · 7 its batch
--       8 deadline at which callback cards are updated, set to now if an entry is new
--       9… for each entry: key, value, created µs, until ms ("0": never), suffix rows joined by newlines
-- Returns {"account"}     the account has another revision
--         {"lease"}       the lease of the deadline was lost
--         {"ok", 1|0, …}  for each entry: 1 if it is new, 0 if there is one that has not expired
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
