-- Lists what is due in a cell. Only reads.
--
-- KEYS  1 wake zset · 2 deadlines zset
-- ARGV  1 maximum of each kind · 2 the bot's time, ms, for deadlines · 3 ms until the cell is certainly looked at again
--       4… kinds: beginnings of members, up to and including the first bar
-- Returns the due members of these kinds, longest due first; if "due|" is among the kinds, also "due|MS", the time of
-- the first deadline, if it comes before the cell is looked at again
--@include engine/outbox_field

local limit, now, room = tonumber(ARGV[1]), outbox_now(), {}
for i = 4, #ARGV do
  room[ARGV[i]] = limit
end
local due, PAGE, PAGES = {}, 100, 20
for page = 0, PAGES - 1 do
  local members = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', page * PAGE, PAGE)
  for _, member in ipairs(members) do
    local kind = string.match(member, '^[^|]*|')
    local left = room[kind]
    if left and left > 0 then
      room[kind] = left - 1
      due[#due + 1] = member
    end
  end
  if #members < PAGE or #due >= limit * (#ARGV - 3) then
    break
  end
end
if room['due|'] then
  local first = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[2] + ARGV[3], 'WITHSCORES', 'LIMIT', 0, 1)
  if first[2] then
    due[#due + 1] = 'due|' .. first[2]
  end
end
return due
