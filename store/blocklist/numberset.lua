-- Included where sets of packed numbers are read or changed. How they lie: store/blocklist/numberset.py.
--
-- A set's state is three fields of the hash `meta`: `k:SET` level, `c:SET` buckets of that level that have been split
-- already (absent: it does not grow), `n:SET` how many numbers.
--
-- numberset_state(meta, set) returns level, split, size             size 0: nothing is in it
-- numberset_place(number, level, split, named, here, above) returns key, value
--     of the bucket that holds the number, among `here`, its bucket on the level `named`, and `above`, its bucket on
--     the next; nil where the caller named an older or newer level: it has to look at the state and name anew.
-- numberset_has(meta, number, set, named, here, above) returns 1, 0, or nil (name anew)
-- numberset_put(meta, number, set, named, here, above) · numberset_drop(…)
--     change it; the caller has made sure by numberset_has that the names are right. Return 1 where they changed it.
local function numberset_state(meta, set)
  local state = redis.call('HMGET', meta, 'k:' .. set, 'c:' .. set, 'n:' .. set)
  return tonumber(state[1] or 0), tonumber(state[2] or 0), tonumber(state[3] or 0)
end

local function numberset_place(number, level, split, named, here, above)
  local buckets = 7 * 3 ^ level
  if number % buckets < split then
    buckets, level = buckets * 3, level + 1
  end
  local key = level == named and here or level == named + 1 and above or nil
  if key then
    return key, string.format('%.0f', (number - number % buckets) / buckets - 2147483648)
  end
end

local function numberset_has(meta, number, set, named, here, above)
  local level, split = numberset_state(meta, set)
  local key, value = numberset_place(number, level, split, named, here, above)
  return key and redis.call('SISMEMBER', key, value)
end

local function numberset_put(meta, number, set, named, here, above)
  local level, split = numberset_state(meta, set)
  local key, value = numberset_place(number, level, split, named, here, above)
  local changed = redis.call('SADD', key, value)
  redis.call('HINCRBY', meta, 'n:' .. set, changed)
  return changed
end

local function numberset_drop(meta, number, set, named, here, above)
  local level, split, size = numberset_state(meta, set)
  local key, value = numberset_place(number, level, split, named, here, above)
  local changed = redis.call('SREM', key, value)
  if changed == 1 and size == 1 then
    redis.call('HDEL', meta, 'k:' .. set, 'c:' .. set, 'n:' .. set)
  elseif changed == 1 then
    redis.call('HINCRBY', meta, 'n:' .. set, -1)
  end
  return changed
end
