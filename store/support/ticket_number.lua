-- The next ticket's number of an account.
--
-- KEYS  1 the last ticket's number · 2 this call's own: engine/once
-- ARGV  none
-- Returns the number; run again, the same.
--@include engine/once

return once_reply() or once_keep(redis.call('INCR', KEYS[1]))
