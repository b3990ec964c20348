-- Included by the outbox's scripts: what they know of a conversation that has effects waiting.
--
-- In the owners hash, conversation → owner|ends|tries|doubt:
--   owner  who holds the lease; empty while it waits for its next try
--   ends   when the lease is over, or the next try is due: ms by the server's clock, also its score in wake
--   tries  sends begun of the oldest effect
--   doubt  1 from the begin of a send to its answer: found later, that send may have arrived
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
