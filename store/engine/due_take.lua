-- Takes deadlines that are due, by moving each one's score to the end of the caller's lease.
--
-- KEYS  1 deadlines zset · 2 key of this attempt: engine/once
-- ARGV  1 now, ms by the bot's clock · 2 lease, ms · 3 maximum · 4 ms until the caller looks at the cell again
--       5… kinds to take, each with its bar
-- Returns {time of the next deadline (ms) if it comes before that look, else "",
--          member, time it was due (ms), fencing token (its new score, ms), …}, longest due first
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
  -- Taken members keep their old scores until the loop ends, so pages don't shift.
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
