-- Included by scripts that commit a plan. `commit()` commits it and returns the reply; the tables `guards` and `writes`
-- hold a function for each kind.
--
-- KEYS  1 account hash · 2 done key of the change's id · 3 audit stream · 4 wake zset · 5 owners hash
--       6… keys that guards, writes and effects name by position; last, if the change has no id: engine/once
-- ARGV  1 plan, JSON:
--         rev      revision of the account that the rights were checked on ("" if no account is concerned)
--         id       whether the result is stored in KEYS[2] (true|false)
--         result   short text stored there
--         ttl      how long, seconds
--         guards   [[kind, key, …], …]
--                    ["field", k, f, v]  field f of the hash equals v (false: does not exist)
--                    ["room", k, n]      the set has fewer than n members
--                    ["fewer", k, n, ms] the zset has fewer than n members with a score above ms; others are removed
--                    ["under", k, f, n]  the number in field f of the hash (0 if missing) is below n
--                    ["score", k, m, ms] the score of member m of the zset is ms: the caller's lease of a deadline
--                    ["rank", k, r, m]   the member at rank r of the zset is m ("": there is none)
--         writes   [[command, key, arg, …], …], run as they are, except for
--                    ["move", k, m, was, score]  sets the score of member m if it is still `was`; "" for "no member"
--         audit    entry for the audit stream, JSON; "" for none
--         keep     approximate length to which the audit stream is trimmed
--         effects  [[key, conversation, body], …]
--         owner, lease   the process that sends at once, and how long its lease runs (ms)
-- commit() returns {"ok", state, …}        for each effect yours|owned|waiting: engine/outbox_append
--                  {"repeat", result}      the id is known: nothing was written; result of the first commit
--                  {"account"}             the account has another revision: nothing was written
--                  {"guard", i, current}   guard i (from 1) failed: nothing was written; current: the value found
--
-- A script that includes this can add kinds to the tables:
-- guards.KIND(key, guard)     returns nil if it holds, else the value found ('' for none)
-- writes.COMMAND(key, write)  runs instead of the server's command of that name
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
