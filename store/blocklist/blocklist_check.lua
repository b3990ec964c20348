-- The blocklist's verdict on a number.
--
-- KEYS  1 account hash · 2…7 as blocklist_find takes them
-- ARGV  1 revision · 2…9 as blocklist_find takes them
-- Returns {"account"}     the account has another revision
--         {"ok", {…}}     what blocklist_find returns
--@include blocklist/blocklist_find

if redis.call('HGET', KEYS[1], 'rev') ~= ARGV[1] then
  return {'account'}
end
return {'ok', blocklist_find(KEYS, 2, ARGV, 2)}
