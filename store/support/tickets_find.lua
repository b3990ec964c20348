-- Tickets in which every word searched for begins some word, newest number first; a page of them.
--
-- Candidates are the rows of the rarest word or, if there are fewer of them, the tickets in the scope. Each is then
-- checked for all words, so no ticket is missed unless both exceed the maximum.
--
-- KEYS  1 account hash · 2 tickets (hash) · 3 words (zset of `word|NUMBER`, the number in twelve digits) · 4 all words of
--         a ticket (hash of ` word word`) · 5 scope (zset: what the reader may see) · 6 the reader's stars (zset)
-- ARGV  1 revision · 2 offset · 3 count · 4 maximum of candidates · 5… beginnings of words
-- Returns {"account"}     the account has another revision
--         {"ok", found, 1 if there were more candidates, {page}, {scores of the reader's stars, or nil}}

if redis.call('HGET', KEYS[1], 'rev') ~= ARGV[1] then
  return {'account'}
end
local offset, count, most, AT_ONCE = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), 1000
local rarest, rows = nil, redis.call('ZCARD', KEYS[5])
for i = 5, #ARGV do
  local there = redis.call('ZLEXCOUNT', KEYS[3], '[' .. ARGV[i], '[' .. ARGV[i] .. '\255')
  if there == 0 then
    return {'ok', 0, 0, {}, {}}
  end
  if there <= rows then
    rarest, rows = ARGV[i], there
  end
end

local seen, some = {}, {}
local function note(id)
  if not seen[id] then
    seen[id] = true
    some[#some + 1] = id
  end
end
if rarest then
  -- The whole word first, then words that begin with it: 2 before 20, of which there may be too many.
  for _, from in ipairs({rarest .. '|', rarest}) do
    if #some < most then  -- the second search finds those of the first again
      local found = redis.call('ZRANGE', KEYS[3], '[' .. from .. '\255', '[' .. from, 'BYLEX', 'REV', 'LIMIT', 0, most)
      for _, row in ipairs(found) do
        note(tonumber(string.sub(row, -12)))
      end
    end
  end
else
  for _, number in ipairs(redis.call('ZRANGE', KEYS[5], 0, most - 1, 'REV')) do
    note(tonumber(number))
  end
end

local function has_all(words)
  for i = 5, #ARGV do
    if ARGV[i] ~= rarest and not (words and string.find(words, ' ' .. ARGV[i], 1, true)) then
      return false
    end
  end
  return true
end

table.sort(some)  -- read from the end: newest first
local found, alone = {}, rarest and #ARGV == 5
for last = #some, 1, -AT_ONCE do
  local ids = {}
  for i = last, math.max(1, last - AT_ONCE + 1), -1 do
    ids[#ids + 1] = some[i]
  end
  local words = alone and {} or redis.call('HMGET', KEYS[4], unpack(ids))
  for i, score in ipairs(redis.call('ZMSCORE', KEYS[5], unpack(ids))) do
    if score and (alone or has_all(words[i])) then
      found[#found + 1] = ids[i]
    end
  end
end

local page, stars, ids = {}, {}, {}
for i = offset + 1, math.min(offset + count, #found) do
  ids[#ids + 1] = string.format('%.0f', found[i])
end
if #ids > 0 then
  page = redis.call('HMGET', KEYS[2], unpack(ids))
  stars = redis.call('ZMSCORE', KEYS[6], unpack(ids))
end
return {'ok', #found, rows > most and 1 or 0, page, stars}
