-- A page of a person's tickets, the last changed first, and how many each view has. The cost grows with the reader's
-- stars and the offset, not with the tickets.
--
-- KEYS  1 account hash · 2 tickets (hash) · 3 all · 4 open · 5 closed · 6 the reader's stars (zsets)
--       7 every ticket that the reader may see (zset): stars on others are ignored
-- ARGV  1 revision · 2 offset · 3 count · 4 which of KEYS 3 to 6 is paged through
-- Returns {"account"}     the account has another revision
--         {"ok", all, open, closed, stars, {page of tickets}, {scores of the reader's stars, or nil}}

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
  -- Ordered by last change, the score in KEYS[7], oldest first.
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
