-- Grows a set: splits some buckets of its level, in order, into three each of the next.
--
-- KEYS  1 state of the number sets (hash) · 2… for each bucket, in order: the bucket, its three on the next level
-- ARGV  1 set · 2 level · 3 first bucket
-- Returns {level, split, size}   the state afterwards; unchanged if the buckets were not the next ones
--@include blocklist/numberset

local meta, set, named, first = KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local level, split, size = numberset_state(meta, set)
if level ~= named or split ~= first or size == 0 then
  return {level, split, size}
end
local buckets = 7 * 3 ^ level
for at = 2, #KEYS, 4 do
  local thirds = {{}, {}, {}}
  for _, value in ipairs(redis.call('SMEMBERS', KEYS[at])) do
    local whole = value + 2147483648
    local third = whole % 3
    local rows = thirds[third + 1]
    rows[#rows + 1] = string.format('%.0f', (whole - third) / 3 - 2147483648)
  end
  for third = 1, 3 do
    local rows = thirds[third]
    for i = 1, #rows, 1000 do
      redis.call('SADD', KEYS[at + third], unpack(rows, i, math.min(i + 999, #rows)))
    end
  end
  redis.call('DEL', KEYS[at])
  split = split + 1
end
if split >= buckets then
  level, split = level + 1, 0
  redis.call('HSET', meta, 'k:' .. set, level)
  redis.call('HDEL', meta, 'c:' .. set)
else
  redis.call('HSET', meta, 'c:' .. set, split)
end
return {level, split, size}
