-- Ends the leases that no living process can have, because all processes of some earlier moment are dead. Tries and
-- doubt stay.
--
-- KEYS  1 wake zset · 2 owners hash
-- ARGV  1 maximum wait, ms, before an effect in doubt is looked for
--       2 latest end, ms, of a lease from before that moment: one that ends later is a living process's and stays
-- Returns the number of leases ended
--@include engine/outbox_field

local now, ended = outbox_now(), 0
local fields = redis.call('HGETALL', KEYS[2])
for i = 1, #fields, 2 do
  local owner, ends, tries, doubt = outbox_parse(fields[i + 1])
  if owner ~= '' and ends <= tonumber(ARGV[2]) then
    ends = doubt == '1' and math.min(ends, now + ARGV[1]) or now
    outbox_put(KEYS[1], KEYS[2], fields[i], '', ends, tries, doubt)
    ended = ended + 1
  end
end
return ended
