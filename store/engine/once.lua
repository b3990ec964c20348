-- Included by scripts that would do something anew when they run twice, as a call of unknown outcome does.
--
-- The last of KEYS is a string for this call alone (`store/engine/once.py`). once_reply() is what the first run
-- answered, or nil; once_keep(reply) keeps the answer for as long as the call may be repeated, and returns it.

local ONCE_SECONDS = 60

local function once_reply()
  local kept = redis.call('GET', KEYS[#KEYS])
  return kept and cmsgpack.unpack(kept)
end

local function once_keep(reply)
  redis.call('SET', KEYS[#KEYS], cmsgpack.pack(reply), 'EX', ONCE_SECONDS)
  return reply
end
