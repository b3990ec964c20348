-- Records a process's heartbeat, removes processes without a recent one, and lists the rest.
--
-- KEYS  1 zset of processes
-- ARGV  1 process · 2 how long a heartbeat counts, ms
-- Returns the living processes, in no order
--@include engine/outbox_field

local now = outbox_now()
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('ZRANGE', KEYS[1], 0, -1)
