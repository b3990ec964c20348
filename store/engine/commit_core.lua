-- Included by the scripts that commit a plan: `commit()` does it and answers, `guards` and `writes` are what it knows.
--
-- KEYS  1 account hash · 2 done key of this change's id · 3 audit stream · 4 wake zset · 5 owners hash
--       6… whatever guards, writes and effects name by position; last, where the change has no id: engine/once
-- ARGV  1 the plan, as JSON:
--         rev      the account's revision that the rights were checked on ("" where no account is concerned)
--         id       whether KEYS[2] keeps this change (true|false)
--         result   the short answer kept under the id
--         ttl      how long it is kept, seconds
--         guards   [[kind, key, …], …]
--                    ["field", k, f, v]  hash field equals v (false: is absent)
--                    ["room", k, n]      set has fewer than n members
--                    ["fewer", k, n, ms] zset has fewer than n members scored above ms; older ones are dropped
--                    ["under", k, f, n]  hash field, 0 where absent, is a number below n
--                    ["score", k, m, ms] zset scores member m with ms: the lease of a deadline is still the caller's
--                    ["rank", k, r, m]   zset has member m ("": nothing) at rank r
--         writes   [[command, key, arg, …], …], run as they stand; "move" scores a member of a zset anew while its
--                  score is what it was, "" for none: [move, k, member, was, score]
--         audit    JSON of the line in the audit stream, or "" for none
--         keep     length that the audit stream is cut to, about
--         effects  [[key, conversation, body], …]
--         owner, lease   who sends at once, and for how long it is theirs (ms)
-- commit() returns {"ok", state, …}        one of yours|owned|waiting an effect
--                  {"repeat", result}      the id is known: nothing done, the first answer
--                  {"account"}             the account's record has changed since: decide again
--                  {"guard", i, current}   guard i (from 1) does not hold: nothing done; current: the value found
--
-- A script that includes this adds kinds of its own to the tables:
-- guards.KIND(key, guard)     returns nil where it holds, else the value found, '' for none
-- writes.COMMAND(key, write)  instead of the server's command of that name
--@include engine/outbox_append
--@include engine/once

local guards, writes = {}, {}

function guards.field(key, guard)
  local current = redis.call('HGET', key, guard[3])
  if current ~= guard[4] then
    return current or ''
  end
end

function guards.room(key, guard)
  if redis.call('SCARD', key) >= guard[3] then
    return ''
  end
end

function guards.fewer(key, guard)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', guard[4])
  if redis.call('ZCARD', key) >= guard[3] then
    return ''
  end
end

function guards.under(key, guard)
  local current = redis.call('HGET', key, guard[3]) or '0'
  if tonumber(current) >= guard[4] then
    return current
  end
end

function guards.score(key, guard)
  local score = redis.call('ZSCORE', key, guard[3])
  if not score or tonumber(score) ~= tonumber(guard[4]) then
    return score or ''
  end
end

function guards.rank(key, guard)
  local current = redis.call('ZRANGE', key, guard[3], guard[3])[1] or ''
  if current ~= guard[4] then
    return current
  end
end

function writes.move(key, write)
  local is = redis.call('ZSCORE', key, write[3])
  if (is and tonumber(is)) == tonumber(write[4]) or (not is and write[4] == '') then
    if write[5] == '' then
      redis.call('ZREM', key, write[3])
    else
      redis.call('ZADD', key, write[5], write[3])
    end
  end
end

local function commit()
  local plan = cjson.decode(ARGV[1])
  if plan.id then
    local first = redis.call('GET', KEYS[2])
    if first then
      return {'repeat', first}
    end
  else
    local first = once_reply()
    if first then
      return first
    end
  end
  if plan.rev ~= '' and redis.call('HGET', KEYS[1], 'rev') ~= plan.rev then
    return {'account'}
  end
  for i, guard in ipairs(plan.guards) do
    local holds = guards[guard[1]]
    if not holds then
      return redis.error_reply('commit: no such guard: ' .. tostring(guard[1]))
    end
    local current = holds(KEYS[guard[2]], guard)
    if current then
      return {'guard', i, current}
    end
  end
  for _, write in ipairs(plan.writes) do
    local own = writes[write[1]]
    if own then
      own(KEYS[write[2]], write)
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
    local list, conv, body = KEYS[effect[1]], effect[2], effect[3]
    answer[#answer + 1] = outbox_append(list, KEYS[4], KEYS[5], conv, body, plan.owner, plan.lease)
  end
  return plan.id and answer or once_keep(answer)
end
