-- Records the result of a send: removes its effect or sets its next try, and hands over the next effect.
--
-- KEYS  1 list of the conversation · 2 wake zset · 3 owners hash · 4 dead-letter stream
--       5 key of this attempt: engine/once
-- ARGV  1 conversation · 2 claim that taking it returned · 3 lease for the next effect, ms; 0: leave it to others
--       4 "sent"
--         "retry"  5 delay of the next try, ms · 6 tries that count · 7 doubt (0|1)
--         "dead"   5 kind · 6 id · 7 reason · 8 approximate length to which the stream is trimmed
-- Returns {"held", …}    the next effect, as from outbox_take
--         {"free"}       there is a next effect, and nobody has the lease
--         {"waiting"}    the next try is set
--         {"empty"}      that was the last effect
--         {"lost"}       the claim is not valid any more: nothing was changed
--@include engine/outbox_field
--@include engine/once

local conv, claim, lease, what = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local field, now, first = redis.call('HGET', KEYS[3], conv), outbox_now(), once_reply()
if first and first[1] ~= 'held' then
  return first
elseif first and first[2] == field then
  return {'held', field, 1, 0, now, redis.call('LINDEX', KEYS[1], 0)}
end
if field ~= claim then
  return {'lost'}
end
if what == 'retry' then
  outbox_put(KEYS[2], KEYS[3], conv, '', now + ARGV[5], ARGV[6], ARGV[7])
  return once_keep({'waiting'})
end
redis.call('LPOP', KEYS[1])
if what == 'dead' then
  redis.call('XADD', KEYS[4], 'MAXLEN', '~', ARGV[8], '*', 'conv', conv, 'kind', ARGV[5], 'id', ARGV[6], 'reason', ARGV[7])
end
local entry = redis.call('LINDEX', KEYS[1], 0)
if not entry then
  outbox_forget(KEYS[2], KEYS[3], conv)
  return once_keep({'empty'})
end
if lease == 0 then
  outbox_put(KEYS[2], KEYS[3], conv, '', now, 0, '0')
  return once_keep({'free'})
end
local owner, ends = outbox_parse(claim)
-- Later than the old claim even within one ms, so that no two claims are alike.
claim = outbox_put(KEYS[2], KEYS[3], conv, owner, math.max(now + lease, ends + 1), 1, '1')
once_keep({'held', claim})
return {'held', claim, 1, 0, now, entry}
