-- Tickets in which every word asked for begins some word, newest number first, a page of them.
--
-- KEYS  1 account hash · 2 tickets (hash) · 3 words (zset of `word|NUMBER`, the number in twelve digits)
--       4 scope (zset: what the reader may see) · 5 the reader's stars (zset)
-- ARGV  1 revision · 2 offset · 3 count · 4 most that are gathered for a word · 5… the beginnings of words
-- Returns {"account"}     the account's record has changed since: decide again
--         {"ok", found, 1 when there were more than could be gathered, {page}, {their stars: score or nil}}

if redis.call('HGET', KEYS[1], 'rev') ~= ARGV[1] then
  return {'account'}
end
local offset, count, most = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local hits, words, more = {}, #ARGV - 4, 0
for i = 5, #ARGV do
  local rows = redis.call('ZRANGE', KEYS[3], '[' .. ARGV[i] .. '\255', '[' .. ARGV[i], 'BYLEX', 'REV', 'LIMIT', 0, most)
  if #rows == most then
    more = 1
  end
  local seen = {}
  for _, row in ipairs(rows) do
    local id = string.sub(row, -12)
    if not seen[id] then
      seen[id] = true
      hits[id] = (hits[id] or 0) + 1
    end
  end
end
local hit, found, AT_ONCE = {}, {}, 1000
for id, times in pairs(hits) do
  if times == words then
    hit[#hit + 1] = tonumber(id)
  end
end
table.sort(hit)  -- from the end on they are the newest first
for last = #hit, 1, -AT_ONCE do
  local some = {}
  for i = last, math.max(1, last - AT_ONCE + 1), -1 do
    some[#some + 1] = hit[i]
  end
  for i, score in ipairs(redis.call('ZMSCORE', KEYS[4], unpack(some))) do
    if score then
      found[#found + 1] = some[i]
    end
  end
end
local page, stars, ids = {}, {}, {}
for i = offset + 1, math.min(offset + count, #found) do
  ids[#ids + 1] = string.format('%.0f', found[i])
end
if #ids > 0 then
  page = redis.call('HMGET', KEYS[2], unpack(ids))
  stars = redis.call('ZMSCORE', KEYS[5], unpack(ids))
end
return {'ok', #found, more, page, stars}
