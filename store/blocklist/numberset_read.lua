-- The contents of some buckets of a set.
--
-- KEYS  1 account hash · 2 state of the number sets (hash) · 3… buckets
-- ARGV  1 revision · 2 set · 3 level that the buckets are named for · 4 whether some are of the next level, 0|1
-- Returns {"account"}     the account has another revision
--         {"again", level, split, size}   the set has another state
--         {"ok", {value, …}, …}           for each bucket
--@include blocklist/numberset

if redis.call('HGET', KEYS[1], 'rev') ~= ARGV[1] then
  return {'account'}
end
local level, split, size = numberset_state(KEYS[2], ARGV[2])
if level ~= tonumber(ARGV[3]) or split > 0 and ARGV[4] ~= '1' then
  return {'again', level, split, size}
end
local answer = {'ok'}
for i = 3, #KEYS do
  answer[#answer + 1] = redis.call('SMEMBERS', KEYS[i])
end
return answer
