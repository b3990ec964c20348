-- Records where a post is, in both directions, or that it is gone. Run again, it does the same.
--
-- KEYS  1 hash of the posts of a group · 2 hash from message to post · 3 hash of the lost desk · 4 deadlines zset
-- ARGV  1 key of the post · 2 its message; empty: it is gone
--       3 the message it is gone from: if the post has another one by now, that stays; empty: from any message
--       4 deadline at which the desk's cards are updated, if this post shows that a lost desk is back; empty: none
-- Returns 1

local before = redis.call('HGET', KEYS[1], ARGV[1])
if ARGV[2] == '' and ARGV[3] ~= '' and before ~= ARGV[3] then
  redis.call('HDEL', KEYS[2], ARGV[3])
  return 1
end
if before and before ~= ARGV[2] then
  redis.call('HDEL', KEYS[2], before)
end
if ARGV[2] == '' then
  redis.call('HDEL', KEYS[1], ARGV[1])
else
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
  redis.call('HSET', KEYS[2], ARGV[2], ARGV[1])
end
if ARGV[2] ~= '' and ARGV[4] ~= '' and redis.call('DEL', KEYS[3]) == 1 then
  redis.call('ZADD', KEYS[4], 0, ARGV[4])
end
return 1
