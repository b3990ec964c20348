-- A page of somebody's tickets, the one that changed last first, with how many there are of each view.
--
-- KEYS  1 account hash · 2 tickets (hash) · 3 view to page through (zset) · 4 all · 5 open · 6 closed · 7 the reader's stars
-- ARGV  1 revision · 2 offset · 3 count
-- Returns {"account"}     the account's record has changed since: decide again
--         {"ok", all, open, closed, stars, in this view, {page of tickets}, {their stars: score or nil}}

if redis.call('HGET', KEYS[1], 'rev') ~= ARGV[1] then
  return {'account'}
end
-- A ticket that is no longer kept has left the stars of everybody but its person behind.
for _, id in ipairs(redis.call('ZRANGE', KEYS[7], 0, -1)) do
  if redis.call('HEXISTS', KEYS[2], id) == 0 then
    redis.call('ZREM', KEYS[7], id)
  end
end
local offset = tonumber(ARGV[2])
local ids = redis.call('ZRANGE', KEYS[3], offset, offset + ARGV[3] - 1, 'REV')
local page, stars = {}, {}
if #ids > 0 then
  page = redis.call('HMGET', KEYS[2], unpack(ids))
  stars = redis.call('ZMSCORE', KEYS[7], unpack(ids))
end
local answer = {'ok'}
for i = 4, 7 do
  answer[#answer + 1] = redis.call('ZCARD', KEYS[i])
end
answer[#answer + 1] = redis.call('ZCARD', KEYS[3])
answer[#answer + 1] = page
answer[#answer + 1] = stars
return answer
