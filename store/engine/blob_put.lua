-- Fields of a blob, and how long it is kept from now on. Doing so again changes nothing else.
--
-- KEYS  1 blob hash
-- ARGV  1 seconds · 2… field, value, …
-- Returns 1

redis.call('HSET', KEYS[1], unpack(ARGV, 2))
redis.call('EXPIRE', KEYS[1], ARGV[1])
return 1
