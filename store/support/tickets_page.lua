-- A page of somebody's tickets, the one that changed last first, with how many there are of each view.
--
-- KEYS  1 account hash · 2 tickets (hash) · 3 all · 4 open · 5 closed · 6 the reader's stars (zsets)
--       7 every ticket that the reader may see (zset): a star on another one shows nothing and counts for nothing
-- ARGV  1 revision · 2 offset · 3 count · 4 which of KEYS 3 to 6 is paged through
-- Returns {"account"}     the account's record has changed since: decide again
--         {"ok", all, open, closed, stars, {page of tickets}, {their stars: score or nil}}
--
-- What it costs grows with the reader's stars and the offset, not with the tickets.

if redis.call('HGET', KEYS[1], 'rev') ~= ARGV[1] then
  return {'account'}
end
local offset, view = tonumber(ARGV[2]), tonumber(ARGV[4])
local last = offset + ARGV[3] - 1
local answer = {'ok'}
for i = 3, 5 do
  answer[#answer + 1] = redis.call('ZCARD', KEYS[i])
end
local ids = {}
if view == 6 then
  -- In the order of their last change, which is the score of what may be seen: lowest first.
  local seen = redis.call('ZINTER', 2, KEYS[6], KEYS[7], 'WEIGHTS', 0, 1)
  for i = #seen - offset, math.max(1, #seen - last), -1 do
    ids[#ids + 1] = seen[i]
  end
  answer[#answer + 1] = #seen
else
  ids = redis.call('ZRANGE', KEYS[view], offset, last, 'REV')
  answer[#answer + 1] = redis.call('ZINTERCARD', 2, KEYS[6], KEYS[7])
end
local page, stars = {}, {}
if #ids > 0 then
  page = redis.call('HMGET', KEYS[2], unpack(ids))
  stars = redis.call('ZMSCORE', KEYS[6], unpack(ids))
end
answer[#answer + 1] = page
answer[#answer + 1] = stars
return answer
