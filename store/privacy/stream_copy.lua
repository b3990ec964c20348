-- Appends entries of a stream to its copy, under their own ids, and renames the copy to the stream once it is complete.
--
-- KEYS  1 stream · 2 its copy · 3 key of this attempt: engine/once
-- ARGV  1 id of the last entry read ("": none) · 2… for each entry: id, value of field e
-- Returns 1 if the copy has replaced the stream · 0 if there are entries after that one
--@include engine/once

-- After the rename there is no copy that could show what was done.
local done = once_reply()
if done then
  return done
end
for i = 2, #ARGV, 2 do
  local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
  local function parts(id)
    local ms, n = string.match(id, '^(%d+)-(%d+)$')
    return tonumber(ms), tonumber(n)
  end
  local ms, n = parts(ARGV[i])
  local before_ms, before_n = -1, -1
  if last then
    before_ms, before_n = parts(last[1])
  end
  -- Run again, it skips those that are there.
  if ms > before_ms or (ms == before_ms and n > before_n) then
    redis.call('XADD', KEYS[2], ARGV[i], 'e', ARGV[i + 1])
  end
end
local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
if newest and newest[1] ~= ARGV[1] then
  return once_keep(0)
end
if redis.call('EXISTS', KEYS[2]) == 1 then
  redis.call('RENAME', KEYS[2], KEYS[1])
end
return once_keep(1)
