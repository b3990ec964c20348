-- One entry, and the number sets that contain its number.
--
-- KEYS  1 account hash · 2 entries (hash) · 3 state of the number sets (hash) · 4… for each set, the number's bucket on
--       the named level and on the next
-- ARGV  1 revision · 2 key of the entry · 3 number ("": in no set) · 4… for each set: its name, level
-- Returns {"account"}     the account has another revision
--         {"again"}       a set has another level
--         {"ok", entry or "", {set, import or "", …}}
--@include blocklist/numberset

if redis.call('HGET', KEYS[1], 'rev') ~= ARGV[1] then
  return {'account'}
end
local sets = {}
for i = 4, #ARGV, 2 do
  local has = numberset_has(KEYS[3], tonumber(ARGV[3]), ARGV[i], tonumber(ARGV[i + 1]), KEYS[i], KEYS[i + 1])
  if not has then
    return {'again'}
  elseif has == 1 then
    sets[#sets + 1] = ARGV[i]
    sets[#sets + 1] = redis.call('HGET', KEYS[3], 'by:' .. string.lower(ARGV[i])) or ''
  end
end
return {'ok', redis.call('HGET', KEYS[2], ARGV[2]) or '', sets}
