-- Something that only one account can have.
--
-- KEYS  1 directory key
-- ARGV  1 account · 2 how long the claim lives if it isn't made lasting, seconds; empty: it lasts
-- Returns 1 when it is the account's, now or already; 0 when it is another's.

local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then
  return 0
end
local life = ARGV[2] or ''
if life == '' then
  redis.call('SET', KEYS[1], ARGV[1])
elseif not owner then
  redis.call('SET', KEYS[1], ARGV[1], 'EX', life)
elseif redis.call('TTL', KEYS[1]) >= 0 then
  redis.call('EXPIRE', KEYS[1], life)
end
return 1
