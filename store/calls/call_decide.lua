-- Gathers the facts that a call is decided on, and stores them with the call: asked again, it returns the same facts.
--
-- KEYS  1 account hash · 2 provided numbers (hash) · 3 minutes of the month (hash) · 4 the call (hash)
--       5…10 as blocklist_find takes them for the other side's number
--       outbound: 11 the caller's registered numbers (hash) · 12 numbers assigned to them (zset) · 13 all numbers (zset)
-- ARGV  1 revision · 2 now, ms · 3 TTL of the call's note, seconds · 4 minutes of the plan · 5 "inbound" or "outbound"
--       6 the provided number that is called, or calls ("": none) · 7 id of the caller ("": not a person)
--       8 "1": an emergency call, which may be made from any number · 9…16 as blocklist_find takes them
-- Returns {"stale", …}       as blocklist_find does: nothing was stored; ask again
--         {"account"}        the account has another revision
--         {"ok", 1, note}    stored now
--         {"ok", 0, note}    stored earlier
-- A note is lines: now · direction · minutes of the plan · minutes used · "1" if a rule blocks the other side ·
-- person · the provided number's record · records that could be the caller ID …
--@include blocklist/blocklist_find

local first = redis.call('HGET', KEYS[4], 'note')
if first then
  -- The same time: perhaps stored by this call, whose reply was lost.
  return {'ok', string.match(first, '^%d+') == ARGV[2] and 1 or 0, first}
end
if redis.call('HGET', KEYS[1], 'rev') ~= ARGV[1] then
  return {'account'}
end

local rule = blocklist_find(KEYS, 5, ARGV, 9)
if rule[1] == 'stale' then
  return rule
end
local blocked = (rule[1] == 'none' or rule[1] == 'off' or rule[1] == 'allow') and '0' or '1'
local own = ARGV[6] ~= '' and redis.call('HGET', KEYS[2], ARGV[6]) or ''
local used = redis.call('HGET', KEYS[3], 'minutes') or '0'
local note = {ARGV[2], ARGV[5], ARGV[4], used, blocked, ARGV[7], own}
if ARGV[5] == 'outbound' then
  for _, record in ipairs(redis.call('HVALS', KEYS[11])) do
    note[#note + 1] = record
  end
  local assigned = redis.call('ZRANGE', KEYS[12], 0, 4)
  if ARGV[8] == '1' then
    for _, e164 in ipairs(redis.call('ZRANGE', KEYS[13], 0, 4)) do
      assigned[#assigned + 1] = e164
    end
  end
  if #assigned > 0 then
    for _, record in ipairs(redis.call('HMGET', KEYS[2], unpack(assigned))) do
      if record then
        note[#note + 1] = record
      end
    end
  end
end
local whole = table.concat(note, '\n')
redis.call('HSET', KEYS[4], 'note', whole)
redis.call('EXPIRE', KEYS[4], ARGV[3])
return {'ok', 1, whole}
