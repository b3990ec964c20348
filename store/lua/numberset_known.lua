-- How many of some numbers a set of numbers has.
--
-- KEYS  1 sets hash · 2… buckets
-- ARGV  1 set · 2 level that the buckets were named for · 3… of each bucket how many values, then the values
-- Returns the count, or -1: the set has another level by now

local level = tonumber(redis.call('HGET', KEYS[1], 'k:' .. ARGV[1]) or '0')
if level ~= tonumber(ARGV[2]) then
  return -1
end
local known, at = 0, 3
for i = 2, #KEYS do
  local count = tonumber(ARGV[at])
  local found = redis.call('SMISMEMBER', KEYS[i], unpack(ARGV, at + 1, at + count))
  for j = 1, count do
    known = known + found[j]
  end
  at = at + count + 1
end
return known
