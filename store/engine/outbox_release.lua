-- Gives a lease back, so that another process can continue at once. Tries and doubt stay.
--
-- KEYS  1 wake zset · 2 owners hash
-- ARGV  1 conversation · 2 owner · 3 maximum wait, ms, before an effect in doubt is looked for
-- Returns 1 if it was released · 0 if the lease was not `owner`'s
--@include engine/outbox_field

local field = redis.call('HGET', KEYS[2], ARGV[1])
if not field then
  return 0
end
local owner, ends, tries, doubt = outbox_parse(field)
if owner ~= ARGV[2] then
  return 0
end
local now = outbox_now()
local due = doubt == '1' and math.min(ends, now + ARGV[3]) or now
outbox_put(KEYS[1], KEYS[2], ARGV[1], '', due, tries, doubt)
return 1
