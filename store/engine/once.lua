-- Included by scripts that would change something again if they ran twice, as a call in doubt does.
--
-- The last of KEYS is a string for this call alone (store/engine/keys.py). once_reply() returns the reply of the first
-- run, or nil; once_keep(reply) stores the reply for as long as the call may be repeated, and returns it.

local ONCE_SECONDS = 60

local function once_reply()
  local kept = redis.call('GET', KEYS[#KEYS])
  return kept and cmsgpack.unpack(kept)
end

local function once_keep(reply)
  redis.call('SET', KEYS[#KEYS], cmsgpack.pack(reply), 'EX', ONCE_SECONDS)
  return reply
end
