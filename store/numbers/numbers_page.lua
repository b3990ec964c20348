-- A page of a person's list of numbers: provided ones in the order of E.164, then their registered ones.
--
-- KEYS  1 account hash · 2 provided numbers (hash) · 3 index to page through (zset: all, or the person's)
--       4 the person's registered numbers (hash) · 5 slots (set) · 6 minutes of the month (hash) · 7 bin (zset)
-- ARGV  1 revision · 2 offset · 3 count · 4 now, ms · 5 how many deleted ones that can still be undone
-- Returns {"account"}     the account's record has changed since: decide again
--         {"ok", slots used, minutes used, provided, registered, {page of provided}, {registered, if the page gets there},
--          {deleted}}

if redis.call('HGET', KEYS[1], 'rev') ~= ARGV[1] then
  return {'account'}
end
local offset, count = tonumber(ARGV[2]), tonumber(ARGV[3])
local provided, registered = redis.call('ZCARD', KEYS[3]), redis.call('HLEN', KEYS[4])
local page, own, gone = {}, {}, {}
local ids = redis.call('ZRANGE', KEYS[3], offset, offset + count - 1)
if #ids > 0 then
  page = redis.call('HMGET', KEYS[2], unpack(ids))
end
if registered > 0 and offset + count > provided then
  own = redis.call('HVALS', KEYS[4])
end
if tonumber(ARGV[5]) > 0 then
  local deleted = redis.call('ZRANGE', KEYS[7], '(' .. ARGV[4], '+inf', 'BYSCORE', 'LIMIT', 0, tonumber(ARGV[5]))
  if #deleted > 0 then
    gone = redis.call('HMGET', KEYS[2], unpack(deleted))
  end
end
local minutes = redis.call('HGET', KEYS[6], 'minutes') or '0'
return {'ok', redis.call('SCARD', KEYS[5]), minutes, provided, registered, page, own, gone}
