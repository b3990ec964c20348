-- Removes effects from a conversation unless they are being sent, because their text is to be erased.
--
-- KEYS  1 list of the conversation · 2 wake zset · 3 owners hash
-- ARGV  1 conversation · 2… entries as the list has them
-- Returns {removed, busy}   busy: 1 if one is the oldest and is being sent now: it stays, ask again
--@include engine/outbox_field

local conv, now = ARGV[1], outbox_now()
local holder, ends, tries, doubt = '', 0, 0, '0'
local field = redis.call('HGET', KEYS[3], conv)
if field then
  holder, ends, tries, doubt = outbox_parse(field)
end
local first = redis.call('LINDEX', KEYS[1], 0)
local taken, busy, head = 0, 0, false
for i = 2, #ARGV do
  if ARGV[i] == first and holder ~= '' and ends > now then
    busy = 1
  else
    local count = redis.call('LREM', KEYS[1], 1, ARGV[i])
    taken = taken + count
    head = head or (count == 1 and ARGV[i] == first)
  end
end
if redis.call('LLEN', KEYS[1]) == 0 then
  outbox_forget(KEYS[2], KEYS[3], conv)
elseif head then
  -- The new oldest effect has not been tried.
  outbox_put(KEYS[2], KEYS[3], conv, '', now, 0, '0')
end
return {taken, busy}
