-- A page of a person's list of numbers: provided ones by E.164, then their registered ones.
--
-- KEYS  1 account hash · 2 provided numbers (hash) · 3 index to page through (zset: all, or the person's)
--       4 the person's registered numbers (hash) · 5 slots (set) · 6 minutes of the month (hash)
--       7 deleted numbers (zset)
-- ARGV  1 revision · 2 offset · 3 count · 4 now, ms · 5 maximum of deleted numbers that can still be undone
-- Returns {"account"}     the account has another revision
--         {"ok", slots used, minutes used, provided, registered, {page of provided}, {registered, if the page gets there},
--          {deleted}}

if redis.call('HGET', KEYS[1], 'rev') ~= ARGV[1] then
  return {'account'}
end
local offset, count = tonumber(ARGV[2]), tonumber(ARGV[3])
local provided, registered = redis.call('ZCARD', KEYS[3]), redis.call('HLEN', KEYS[4])

local function records(ids)
  return #ids > 0 and redis.call('HMGET', KEYS[2], unpack(ids)) or {}
end

local page = records(redis.call('ZRANGE', KEYS[3], offset, offset + count - 1))
local own = registered > 0 and offset + count > provided and redis.call('HVALS', KEYS[4]) or {}
local deleted = records(redis.call('ZRANGE', KEYS[7], '(' .. ARGV[4], '+inf', 'BYSCORE', 'LIMIT', 0, ARGV[5]))
local minutes = redis.call('HGET', KEYS[6], 'minutes') or '0'
return {'ok', redis.call('SCARD', KEYS[5]), minutes, provided, registered, page, own, deleted}
