-- Provided numbers that contain one of some runs of digits or are assigned to one of some people; a page of them.
--
-- KEYS  1 account hash · 2 provided numbers (hash) · 3 suffixes (zset) · 4 scope (zset: what the reader may see)
--       5 slots (set) · 6 minutes of the month (hash) · 7… numbers of each of the people (zsets)
-- ARGV  1 revision · 2 offset · 3 count · 4 maximum gathered a search · 5… runs of digits, without '+'
-- Returns {"account"}     the account has another revision
--         {"ok", slots used, minutes used, found, 1 if there were more than the maximum, {page}}

if redis.call('HGET', KEYS[1], 'rev') ~= ARGV[1] then
  return {'account'}
end
local offset, count, most = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local found, seen, more = {}, {}, 0

local function gather(id)
  if not seen[id] and redis.call('ZSCORE', KEYS[4], id) then
    seen[id] = true
    found[#found + 1] = id
  end
end

for i = 5, #ARGV do
  -- A row is `digits|E164`: every suffix that starts with the run, ended by the byte after '|'.
  local rows = redis.call('ZRANGE', KEYS[3], '[' .. ARGV[i], '[' .. ARGV[i] .. '~', 'BYLEX', 'LIMIT', 0, most)
  if #rows == most then
    more = 1
  end
  for _, row in ipairs(rows) do
    gather(string.sub(row, string.find(row, '|', 1, true) + 1))
  end
end
for i = 7, #KEYS do
  for _, id in ipairs(redis.call('ZRANGE', KEYS[i], 0, most - 1)) do
    gather(id)
  end
end

table.sort(found)
local ids = {}
for i = offset + 1, math.min(offset + count, #found) do
  ids[#ids + 1] = found[i]
end
local page = #ids > 0 and redis.call('HMGET', KEYS[2], unpack(ids)) or {}
local minutes = redis.call('HGET', KEYS[6], 'minutes') or '0'
return {'ok', redis.call('SCARD', KEYS[5]), minutes, #found, more, page}
