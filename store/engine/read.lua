-- Runs several reads of one cell if the account still has the caller's revision.
--
-- KEYS  1 account hash · 2… what the reads name by position
-- ARGV  1 revision of the account · 2 JSON: [[command, key, arg, …], …]; read-only commands
-- Returns {"account"}         the account has another revision
--         {"ok", reply, …}    one reply for each read

if redis.call('HGET', KEYS[1], 'rev') ~= ARGV[1] then
  return {'account'}
end
local answer = {'ok'}
for _, read in ipairs(cjson.decode(ARGV[2])) do
  answer[#answer + 1] = redis.call(read[1], KEYS[read[2]], unpack(read, 3))
end
return answer
