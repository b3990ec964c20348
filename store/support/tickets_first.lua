-- The first tickets of several queues.
--
-- KEYS  1 account hash · 2 tickets (hash) · 3… queues (zsets of numbers)
-- ARGV  1 revision · 2 count
-- Returns {"account"}     the account has another revision
--         {"ok", {tickets of the first queue}, {of the second}, …}

if redis.call('HGET', KEYS[1], 'rev') ~= ARGV[1] then
  return {'account'}
end
local answer = {'ok'}
for i = 3, #KEYS do
  local ids = redis.call('ZRANGE', KEYS[i], 0, ARGV[2] - 1)
  answer[#answer + 1] = #ids > 0 and redis.call('HMGET', KEYS[2], unpack(ids)) or {}
end
return answer
