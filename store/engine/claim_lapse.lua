-- A claim that ends by itself soon, if it is still this account's: what is done in between may be cut short.
--
-- KEYS  1 directory key
-- ARGV  1 account · 2 how long it still lives, seconds
-- Returns 1 when it ends; 0 when it is not the account's.

if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('EXPIRE', KEYS[1], ARGV[2])
end
return 0
