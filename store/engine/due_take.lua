-- Takes deadlines that have come: each is the caller's until its lease is over, and then somebody else's.
--
-- KEYS  1 deadlines zset · 2 this call's own: engine/once
-- ARGV  1 now, ms by the bot's clock · 2 lease, ms · 3 at most so many · 4 ms until the cell is looked at again
--       5… the kinds asked for, each with its bar
-- Returns {when the next one comes (ms) if that is before the cell is looked at again, else "",
--          member, when it was due (ms), fence (ms: its score from now on), …}, longest due first
--@include engine/once

local first = once_reply()
if first then
  return first
end
local now, lease, limit = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local known, taken, PAGE, PAGES = {}, {}, 100, 20
for i = 5, #ARGV do
  known[ARGV[i]] = true
end
for page = 0, PAGES - 1 do
  -- What is taken leaves the stretch that is looked through; what is of other kinds stays in it.
  local rows = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'WITHSCORES', 'LIMIT', page * PAGE, PAGE)
  for i = 1, #rows, 2 do
    local kind = string.match(rows[i], '^[^|]*|')
    if kind and known[kind] and #taken < limit * 3 then
      taken[#taken + 1] = rows[i]
      taken[#taken + 1] = rows[i + 1]
      taken[#taken + 1] = string.format('%.0f', now + lease)
    end
  end
  if #rows < PAGE * 2 or #taken >= limit * 3 then
    break
  end
end
for i = 1, #taken, 3 do
  redis.call('ZADD', KEYS[1], taken[i + 2], taken[i])
end
local following = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. ARGV[1], now + ARGV[4], 'WITHSCORES', 'LIMIT', 0, 1)
local none = #taken == 0
table.insert(taken, 1, following[2] or '')
return none and taken or once_keep(taken)
