-- Takes the next ticket number of an account. Run again, it returns the same.
--
-- KEYS  1 number of the last ticket (string) · 2 key of this attempt: engine/once
-- ARGV  none
-- Returns the number
--@include engine/once

return once_reply() or once_keep(redis.call('INCR', KEYS[1]))
