-- Included by scripts that decide a call: the blocklist's verdict on a number.
--
-- blocklist_find(keys, k, args, a) reads keys[k] … keys[k + 5] and args[a] … args[a + 7], made by
-- `Blocklist.lookup` in store/blocklist/blocklist.py, so that another script can pass its own KEYS and ARGV.
--
--   keys  state of the number sets (hash) · entries (hash) · the number's bucket in the set of the call's direction on
--         the level that the caller knows · its bucket on the next level · the same two in the set of both directions
--   args  number as E.164 or digits as dialled ("": the caller withholds it) · direction of the call, i|o ·
--         set, level · set, level (those of the buckets) · now, ms · 1 if the account has the blocklist
--
-- Returns a table, which `Blocklist.verdict` takes as the reply has it:
--   {"number"|"prefix"|"anonymous"|"allow", entry}   that rule decided; the entry as the hash has it
--   {"list", i|o|b, import}    an imported number: direction of its set, record of the import (or "")
--   {"none"} · {"off"}         nothing blocks it · the blocklist is switched off
--   {"stale", level, level}    buckets have been split since: learn the levels of both sets and ask again; a script
--                              that also writes must return before it writes
--@include blocklist/numberset

local function blocklist_live(entry, way, now)
  local direction, till = string.match(entry, '^(%a)|(%d+)|')
  return (direction == 'b' or direction == way) and (till == '0' or tonumber(till) > now)
end

local function blocklist_find(keys, k, args, a)
  local meta, entries = keys[k], keys[k + 1]
  local number, way, now, one, both = args[a], args[a + 1], tonumber(args[a + 6]), args[a + 2], args[a + 4]
  local state = redis.call(
    'HMGET', meta, 'off', 'k:' .. one, 'c:' .. one, 'n:' .. one, 'k:' .. both, 'c:' .. both, 'n:' .. both)
  if args[a + 7] ~= '1' or state[1] then
    return {'off'}
  end
  if number == '' then
    local entry = redis.call('HGET', entries, 'anonymous')
    if entry and blocklist_live(entry, way, now) then
      return {'anonymous', entry}
    end
    return {'none'}
  end

  local names = {'number|' .. number, 'allow|' .. number}
  local international = string.byte(number) == 43
  if international then
    for length = #number, 5, -1 do
      names[#names + 1] = 'prefix|' .. string.sub(number, 1, length)
    end
  end
  local found = redis.call('HMGET', entries, unpack(names))
  if found[1] and blocklist_live(found[1], way, now) then
    return {'number', found[1]}
  end
  if international and #number <= 16 then
    local digits = tonumber(string.sub(number, 2))
    for i = 0, 3, 3 do  -- the direction's set, then both's; the level of an empty one doesn't matter
      if tonumber(state[4 + i] or 0) > 0 then
        local at = a + 2 + i / 3 * 2
        local key, value = numberset_place(digits, tonumber(state[2 + i] or 0), tonumber(state[3 + i] or 0),
          tonumber(args[at + 1]), keys[k + at - a], keys[k + at - a + 1])
        if not key then
          return {'stale', tonumber(state[2] or 0), tonumber(state[5] or 0)}
        elseif redis.call('SISMEMBER', key, value) == 1 then
          local letter = string.lower(args[at])
          return {'list', letter, redis.call('HGET', meta, 'by:' .. letter) or ''}
        end
      end
    end
  end
  for i = 2, #names do
    if found[i] and blocklist_live(found[i], way, now) then
      return {(string.match(names[i], '^%a+')), found[i]}
    end
  end
  return {'none'}
end
