-- Commits a change of the blocklist: as engine/commit, with guards and writes for number sets.
--
-- KEYS  1 account hash · 2 done key · 3 audit stream · 4 wake zset · 5 owners hash · 6… what the plan names by position
-- ARGV  1 plan, JSON: engine/commit_core, and
--         guards   ["blocked", k, e, ms, is, k2, number, [[set, level, k3, k4], …]]
--                    whether (is: true|false) the hash has entry e, not expired at ms, or one of the sets, whose state
--                    is in k2, contains the number
--         writes   ["put"|"drop", k2, number, set, level, k3, k4]   adds a number to a set, or removes it
--         k3, k4   the number's bucket on that level of the set and on the next: blocklist/numberset
-- Returns {"ok", state, …} · {"repeat", result} · {"account"} · {"guard", i, current}: engine/commit_core; current of
--         "blocked" is the entry or set found, "" for neither, "again" if a set has another level
--@include engine/commit_core
--@include blocklist/numberset

function guards.blocked(key, guard)
  local entry = redis.call('HGET', key, guard[3])
  local till = entry and tonumber(string.match(entry, '^%a|(%d+)|'))
  local current = entry and (till == 0 or till > guard[4] or guard[5]) and entry or ''
  for _, set in ipairs(guard[8]) do
    local has = numberset_has(KEYS[guard[6]], guard[7], set[1], set[2], KEYS[set[3]], KEYS[set[4]])
    if not has then
      return 'again'
    elseif has == 1 and current == '' then
      current = set[1]
    end
  end
  if (current ~= '') ~= guard[5] then
    return current
  end
end

function writes.put(meta, write)
  numberset_put(meta, write[3], write[4], write[5], KEYS[write[6]], KEYS[write[7]])
end

function writes.drop(meta, write)
  numberset_drop(meta, write[3], write[4], write[5], KEYS[write[6]], KEYS[write[7]])
end

return commit()
