-- Claims something that only one account can have: a workspace, a number.
--
-- KEYS  1 directory key
-- ARGV  1 account · 2 TTL of the claim, seconds; empty: it is permanent. A permanent claim stays permanent.
-- Returns 1 if the account has it now or had it before · 0 if another account has it

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
