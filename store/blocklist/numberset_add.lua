-- Adds many numbers to a set. Run again, it changes nothing and returns the same.
--
-- KEYS  1 account hash · 2 state of the number sets (hash) · 3 imports (hash) · 4 deadlines zset
--       5… buckets: one a group (steady), or two a number, on the level and on the next (growing)
--       last, without an import: key of this attempt: engine/once
-- ARGV  1 revision · 2 set · 3 level · 4 how many numbers · 5 how many numbers the level may hold in all
--       6 import ("": none; "?": only count) · 7 its batch, from 0 · 8 the caller's deadline ("": none)
--       9 fencing token of the deadline
--       10 steady: how many values each group has, a byte each; growing (or no numbers at all): ""
--       11… steady: values, group by group; growing: numbers
-- Returns {"account"}      the account has another revision
--         {"lease"}        the lease of the deadline was lost
--         {"order", next}  the import continues with that batch
--         {"again", level, split, size}   the set has another state than the caller named, or must be split first
--         {"ok", added, level, split, size, added in all, present in all}   totals of the import
--@include blocklist/numberset
--@include engine/once

local first = ARGV[6] == '' and once_reply()
if first then
  return first
end
if redis.call('HGET', KEYS[1], 'rev') ~= ARGV[1] then
  return {'account'}
end
if ARGV[8] ~= '' then
  local score = redis.call('ZSCORE', KEYS[4], ARGV[8])
  if not score or tonumber(score) ~= tonumber(ARGV[9]) then
    return {'lease'}
  end
end
local meta, set, named, count, job = KEYS[2], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[6]
local level, split, size = numberset_state(meta, set)

local done = {0, 0, 0, 0}  -- batches, added, present, added by the last one
local dry = job == '?'
if dry and size == 0 then
  return {'ok', count, level, split, size, 0, 0}
elseif dry then
  job = ''
end
if job ~= '' then
  local kept = redis.call('HGET', KEYS[3], job .. '|done')
  if kept then
    local i = 1
    for part in string.gmatch(kept, '%d+') do
      done[i], i = tonumber(part), i + 1
    end
  end
  local batch = tonumber(ARGV[7])
  if batch == done[1] - 1 then
    return {'ok', done[4], level, split, size, done[2], done[3]}
  elseif batch ~= done[1] then
    return {'order', done[1]}
  end
end

-- An empty set starts on the named level if so many numbers need it; a level left over from an earlier set is ignored.
if size == 0 and level < named and count * 4 > tonumber(ARGV[5]) then
  level = named
  redis.call('HSET', meta, 'k:' .. set, level)
end
local growing = ARGV[10] == ''
if count > 0 and (level ~= named and not (growing and level == named + 1 and split == 0)
  or not growing and split > 0
  or not dry and size + count > tonumber(ARGV[5]) and level == named and split == 0) then
  return {'again', level, split, size}
end

local call, added = redis.call, 0
local command = dry and 'SMISMEMBER' or 'SADD'
local function new(answer)
  if not dry then
    return answer
  end
  local count = 0
  for _, is in ipairs(answer) do
    count = count + 1 - is
  end
  return count
end

if growing then
  for i = 11, #ARGV do
    local key, value = numberset_place(tonumber(ARGV[i]), level, split, named, KEYS[2 * i - 17], KEYS[2 * i - 16])
    added = added + new(call(command, key, value))
  end
else
  local at, sizes, byte = 11, ARGV[10], string.byte
  for group = 1, #sizes do
    local some = byte(sizes, group)
    if some == 1 then
      added = added + new(call(command, KEYS[group + 4], ARGV[at]))
    else
      added = added + new(call(command, KEYS[group + 4], unpack(ARGV, at, at + some - 1)))
    end
    at = at + some
  end
end
if added > 0 and not dry then
  size = redis.call('HINCRBY', meta, 'n:' .. set, added)
end
if job ~= '' then
  done[1], done[2], done[3], done[4] = done[1] + 1, done[2] + added, done[3] + count - added, added
  redis.call('HSET', KEYS[3], job .. '|done', table.concat(done, ' '))
end
local answer = {'ok', added, level, split, size, done[2], done[3]}
return (dry or job ~= '') and answer or once_keep(answer)
