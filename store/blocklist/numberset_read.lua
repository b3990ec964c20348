-- What some buckets of a set hold.
--
-- KEYS  1 account hash · 2 sets' state (hash) · 3… buckets
-- ARGV  1 revision · 2 set · 3 level that they were named for · 4 whether those of the next level are among them, 0|1
-- Returns {"account"}     the account's record has changed since: decide again
--         {"again", level, split, size}   named for another state of the set
--         {"ok", {value, …}, …}           of each bucket
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
