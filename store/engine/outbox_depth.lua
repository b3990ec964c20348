-- Counts the effects that wait in some conversations of a cell. Only reads.
--
-- KEYS  1… lists of conversations
-- Returns {effects waiting, age of the oldest in ms}
--@include engine/outbox_field

local depth, oldest, now = 0, 0, outbox_now()
for _, list in ipairs(KEYS) do
  local entry = redis.call('LINDEX', list, 0)
  if entry then
    depth = depth + redis.call('LLEN', list)
    oldest = math.max(oldest, now - string.match(entry, '^%d+'))
  end
end
return {depth, oldest}
