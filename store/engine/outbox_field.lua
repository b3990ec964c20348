-- Included by the outbox's scripts: the state of a conversation that has effects waiting.
--
-- The owners hash maps a conversation to owner|ends|tries|doubt:
--   owner  who has the lease; empty while the conversation waits for its next try
--   ends   when the lease ends or the next try is due: ms by the server's clock, also its score in wake
--   tries  sends of the oldest effect that have begun
--   doubt  1 from the beginning of a send until its result is settled: if found later, that send may have arrived
-- The field exists as long as the list is not empty. The list holds `ms written|body`.

local function outbox_now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function outbox_parse(field)
  local owner, ends, tries, doubt = string.match(field, '^([^|]*)|(%d+)|(%d+)|([01])$')
  return owner, tonumber(ends), tonumber(tries), doubt
end

local function outbox_put(wake, owners, conv, owner, ends, tries, doubt)
  local due = string.format('%.0f', ends)
  local field = owner .. '|' .. due .. '|' .. tries .. '|' .. doubt
  redis.call('HSET', owners, conv, field)
  redis.call('ZADD', wake, due, 'ob|' .. conv)
  return field
end

local function outbox_forget(wake, owners, conv)
  redis.call('HDEL', owners, conv)
  redis.call('ZREM', wake, 'ob|' .. conv)
end
