-- Give a lease back, so that another process goes on at once. Tries and doubt stay.
--
-- KEYS  1 wake zset · 2 owners hash
-- ARGV  1 conversation · 2 owner
-- Returns 1: released · 0: it was not `owner`'s
--@include outbox_field

local field = redis.call('HGET', KEYS[2], ARGV[1])
if not field then
  return 0
end
local owner, _, tries, doubt = outbox_parse(field)
if owner ~= ARGV[2] then
  return 0
end
outbox_put(KEYS[1], KEYS[2], ARGV[1], '', outbox_now(), tries, doubt)
return 1
