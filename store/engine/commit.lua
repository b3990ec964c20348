-- One change, whole or not at all: its guards, its writes, its line in the audit stream, its effects, its id.
--
-- KEYS  1 account hash · 2 done key of this change's id · 3 audit stream · 4 wake zset · 5 owners hash
--       6… whatever guards, writes and effects name by position
-- ARGV  1 the plan, as JSON:
--         rev      the account's revision that the rights were checked on ("" where no account is concerned)
--         id       whether KEYS[2] keeps this change (true|false)
--         result   the short answer kept under the id
--         ttl      how long it is kept, seconds
--         guards   [[kind, key, …], …]
--                    ["field", k, f, v]  hash field equals v (false: is absent)
--                    ["room", k, n]      set has fewer than n members
--                    ["fewer", k, n, ms] zset has fewer than n members scored above ms; older ones are dropped
--                    ["under", k, f, n]    hash field, 0 where absent, is a number below n
--                    ["score", k, m, ms] zset scores member m with ms: the lease of a deadline is still the caller's
--                    ["rank", k, r, m]   zset has member m ("": nothing) at rank r
--                    ["blocked", k, e, ms, is, k2, number, [[set, level, k3, k4], …]]
--                                        whether (is: true|false) the hash has entry e of the blocklist, not expired at
--                                        ms, or the number is in one of the sets (numberset.lua). "again": wrong level
--         writes   [[command, key, arg, …], …], run as they stand; "put" and "drop" change a set of numbers:
--                  [put|drop, k, number, set, level, k3, k4]; "move" scores a member of a zset anew while its score
--                  is what it was, "" for none: [move, k, member, was, score]
--         audit    JSON of the line in the audit stream, or "" for none
--         keep     length that the audit stream is cut to, about
--         effects  [[key, conversation, body], …]
--         owner, lease   who sends at once, and for how long it is theirs (ms)
-- Returns {"ok", state, …}        one of yours|owned|waiting an effect
--         {"repeat", result}      the id is known: nothing done, the first answer
--         {"account"}             the account's record has changed since: decide again
--         {"guard", i, current}   guard i (from 1) does not hold: nothing done; current: the field's value
--@include engine/outbox_append
--@include blocklist/numberset

local plan = cjson.decode(ARGV[1])

if plan.id then
  local first = redis.call('GET', KEYS[2])
  if first then
    return {'repeat', first}
  end
end
if plan.rev ~= '' and redis.call('HGET', KEYS[1], 'rev') ~= plan.rev then
  return {'account'}
end

for i, guard in ipairs(plan.guards) do
  local kind, key = guard[1], KEYS[guard[2]]
  if kind == 'field' then
    local current = redis.call('HGET', key, guard[3])
    if current ~= guard[4] then
      return {'guard', i, current or ''}
    end
  elseif kind == 'room' then
    if redis.call('SCARD', key) >= guard[3] then
      return {'guard', i, ''}
    end
  elseif kind == 'fewer' then
    redis.call('ZREMRANGEBYSCORE', key, '-inf', guard[4])
    if redis.call('ZCARD', key) >= guard[3] then
      return {'guard', i, ''}
    end
  elseif kind == 'under' then
    local current = redis.call('HGET', key, guard[3]) or '0'
    if tonumber(current) >= guard[4] then
      return {'guard', i, current}
    end
  elseif kind == 'score' then
    local score = redis.call('ZSCORE', key, guard[3])
    if not score or tonumber(score) ~= tonumber(guard[4]) then
      return {'guard', i, score or ''}
    end
  elseif kind == 'rank' then
    local current = redis.call('ZRANGE', key, guard[3], guard[3])[1] or ''
    if current ~= guard[4] then
      return {'guard', i, current}
    end
  elseif kind == 'blocked' then
    local entry = redis.call('HGET', key, guard[3])
    local till = entry and tonumber(string.match(entry, '^%a|(%d+)|'))
    local current = entry and (till == 0 or till > guard[4] or guard[5]) and entry or ''
    for _, set in ipairs(guard[8]) do
      local has = numberset_has(KEYS[guard[6]], guard[7], set[1], set[2], KEYS[set[3]], KEYS[set[4]])
      if not has then
        return {'guard', i, 'again'}
      elseif has == 1 and current == '' then
        current = set[1]
      end
    end
    if (current ~= '') ~= guard[5] then
      return {'guard', i, current}
    end
  else
    return redis.error_reply('commit: no such guard: ' .. tostring(kind))
  end
end

for _, write in ipairs(plan.writes) do
  if write[1] == 'put' or write[1] == 'drop' then
    local change = write[1] == 'put' and numberset_put or numberset_drop
    change(KEYS[write[2]], write[3], write[4], write[5], KEYS[write[6]], KEYS[write[7]])
  elseif write[1] == 'move' then
    local key = KEYS[write[2]]
    local is = redis.call('ZSCORE', key, write[3])
    if (is and tonumber(is)) == tonumber(write[4]) or (not is and write[4] == '') then
      if write[5] == '' then
        redis.call('ZREM', key, write[3])
      else
        redis.call('ZADD', key, write[5], write[3])
      end
    end
  else
    redis.call(write[1], KEYS[write[2]], unpack(write, 3))
  end
end
if plan.audit ~= '' then
  redis.call('XADD', KEYS[3], 'MAXLEN', '~', plan.keep, '*', 'e', plan.audit)
end
if plan.id then
  redis.call('SET', KEYS[2], plan.result, 'EX', plan.ttl)
end
local answer = {'ok'}
for _, effect in ipairs(plan.effects) do
  answer[#answer + 1] = outbox_append(KEYS[effect[1]], KEYS[4], KEYS[5], effect[2], effect[3], plan.owner, plan.lease)
end
return answer
