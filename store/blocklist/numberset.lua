-- Included by scripts that read or change sets of packed numbers, whose layout store/blocklist/numberset.py explains.
--
-- A set's state is three fields of the hash `meta`: `k:SET` level, `c:SET` buckets of that level that are split already
-- (missing: the set does not grow), `n:SET` how many numbers.
--
-- numberset_state(meta, set) returns level, split, size             size 0: it is empty
-- numberset_place(number, level, split, named, here, above) returns key, value
--     of the bucket that contains the number: `here` is its bucket on the level `named`, `above` the one on the next;
--     nil if the caller named an older or newer level: it must read the state and name the keys again
-- numberset_has(meta, number, set, named, here, above) returns 1, 0, or nil (name the keys again)
-- numberset_put(meta, number, set, named, here, above) · numberset_drop(…)
--     add or remove a number; the caller has checked with numberset_has that the keys are right
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
  redis.call('HINCRBY', meta, 'n:' .. set, redis.call('SADD', key, value))
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
end
