-- Sets a TTL on a claim if it is still this account's, before a step that gives it up and may be interrupted.
--
-- KEYS  1 directory key
-- ARGV  1 account · 2 TTL, seconds
-- Returns 1 if the TTL was set · 0 if the claim is not the account's

if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('EXPIRE', KEYS[1], ARGV[2])
end
return 0
