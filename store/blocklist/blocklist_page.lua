-- A page of the blocklist's entries with details, newest first: all of them, or those that contain some digits.
--
-- KEYS  1 account hash · 2 entries (hash) · 3 entries by time (zset) · 4 suffixes (zset)
-- ARGV  1 revision · 2 offset · 3 count · 4 maximum gathered a search · 5… runs of digits, without '+' (none: all)
-- Returns {"account"}     the account has another revision
--         {"ok", found, 1 if there were more than the maximum, {entry, …}}

if redis.call('HGET', KEYS[1], 'rev') ~= ARGV[1] then
  return {'account'}
end
local offset, count, most = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local ids, total, more = {}, 0, 0
if #ARGV == 4 then
  total = redis.call('ZCARD', KEYS[3])
  ids = redis.call('ZREVRANGE', KEYS[3], offset, offset + count - 1)
else
  local found, seen = {}, {}
  for i = 5, #ARGV do
    -- A row is `digits|entry`: every suffix that starts with the run, ended by the byte after '|'.
    local rows = redis.call('ZRANGE', KEYS[4], '[' .. ARGV[i], '[' .. ARGV[i] .. '~', 'BYLEX', 'LIMIT', 0, most)
    if #rows == most then
      more = 1
    end
    for _, row in ipairs(rows) do
      local id = string.sub(row, string.find(row, '|', 1, true) + 1)
      if not seen[id] then
        seen[id] = true
        found[#found + 1] = {id, tonumber(redis.call('ZSCORE', KEYS[3], id) or 0)}
      end
    end
  end
  table.sort(found, function(a, b)
    return a[2] > b[2] or a[2] == b[2] and a[1] < b[1]
  end)
  total = #found
  for i = offset + 1, math.min(offset + count, total) do
    ids[#ids + 1] = found[i][1]
  end
end
return {'ok', total, more, #ids > 0 and redis.call('HMGET', KEYS[2], unpack(ids)) or {}}
