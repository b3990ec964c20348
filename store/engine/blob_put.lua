-- Writes fields of a blob and restarts its TTL. Run again, it changes nothing else.
--
-- KEYS  1 blob hash
-- ARGV  1 TTL, seconds · 2… field, value, …
-- Returns 1

redis.call('HSET', KEYS[1], unpack(ARGV, 2))
redis.call('EXPIRE', KEYS[1], ARGV[1])
return 1
