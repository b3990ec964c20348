-- Something that only one account can have.
--
-- KEYS  1 directory key
-- ARGV  1 account
-- Returns 1 when it is the account's, now or already; 0 when it is another's.

local owner = redis.call('GET', KEYS[1])
if owner then
  return owner == ARGV[1] and 1 or 0
end
redis.call('SET', KEYS[1], ARGV[1])
return 1
