-- Nobody who held a lease in this cell at some moment is alive: those leases are over now. Tries and doubt stay.
--
-- KEYS  1 wake zset · 2 owners hash
-- ARGV  1 in how many ms at the latest an effect that may have arrived is looked for
--       2 the latest end, ms, of a lease from before that moment: a longer one is a living process's, and stays
-- Returns how many leases were ended
--@include engine/outbox_field

local now, ended = outbox_now(), 0
local fields = redis.call('HGETALL', KEYS[2])
for i = 1, #fields, 2 do
  local owner, ends, tries, doubt = outbox_parse(fields[i + 1])
  if owner ~= '' and ends <= tonumber(ARGV[2]) then
    if doubt == '1' then
      ends = math.min(ends, now + ARGV[1])
    else
      ends = now
    end
    outbox_put(KEYS[1], KEYS[2], fields[i], '', ends, tries, doubt)
    ended = ended + 1
  end
end
return ended
