-- Several reads of one cell at once, on the account's record as the caller knows it.
--
-- KEYS  1 account hash · 2… what the reads name by position
-- ARGV  1 the account's revision that the rights were checked on
--       2 JSON: [[command, key, arg, …], …]; commands that only read
-- Returns {"account"}         the account's record has changed since: decide again
--         {"ok", reply, …}    one reply a read

if redis.call('HGET', KEYS[1], 'rev') ~= ARGV[1] then
  return {'account'}
end
local answer = {'ok'}
for _, read in ipairs(cjson.decode(ARGV[2])) do
  answer[#answer + 1] = redis.call(read[1], KEYS[read[2]], unpack(read, 3))
end
return answer
