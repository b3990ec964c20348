-- Deletes a claim if it is still this account's.
--
-- KEYS  1 directory key
-- ARGV  1 account
-- Returns 1 if it was deleted, else 0

if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0
