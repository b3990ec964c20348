-- Takes or renews the lease of a conversation, to begin a try of its oldest effect.
--
-- KEYS  1 list of the conversation · 2 wake zset · 3 owners hash · 4 key of this attempt: engine/once
-- ARGV  1 conversation · 2 owner · 3 lease, ms
-- Returns {"held", claim, tries, doubt, now, entry}
--                        claim: what settling must present; tries: including this one; doubt: 1 if an earlier send may
--                        have arrived; now: ms; entry: `ms written|body`
--         {"owned"}      another process has the lease
--         {"waiting"}    the next try is not due yet
--         {"empty"}      there is nothing to send
--@include engine/outbox_field
--@include engine/once

local conv, owner, now = ARGV[1], ARGV[2], outbox_now()
local field = redis.call('HGET', KEYS[3], conv)
local first = once_reply()
if first and first[1] == field then
  return {'held', first[1], first[2], first[3], now, redis.call('LINDEX', KEYS[1], 0)}
end
local holder, ends, tries, doubt = '', 0, 0, '0'
if field then
  holder, ends, tries, doubt = outbox_parse(field)
  if ends > now and holder ~= owner then
    return {holder == '' and 'waiting' or 'owned'}
  end
end
local entry = redis.call('LINDEX', KEYS[1], 0)
if not entry then
  outbox_forget(KEYS[2], KEYS[3], conv)
  return {'empty'}
end
local claim = outbox_put(KEYS[2], KEYS[3], conv, owner, now + ARGV[3], tries + 1, '1')
once_keep({claim, tries + 1, tonumber(doubt)})
return {'held', claim, tries + 1, tonumber(doubt), now, entry}
