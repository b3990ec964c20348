-- Included where effects are written: append one, and say who sends it.
--
-- outbox_append(list, wake, owners, conv, body, owner, lease_ms) returns
--   "yours"    the lease is `owner`'s now: deliver at once
--   "owned"    a live owner comes to it
--   "waiting"  the conversation backs off after a failure
--@include engine/outbox_field

local function outbox_append(list, wake, owners, conv, body, owner, lease_ms)
  local now = outbox_now()
  redis.call('RPUSH', list, string.format('%.0f', now) .. '|' .. body)
  local field = redis.call('HGET', owners, conv)
  local tries, doubt = 0, '0'
  if field then
    local holder, ends
    holder, ends, tries, doubt = outbox_parse(field)
    if ends > now then
      return holder == '' and 'waiting' or 'owned'
    end
  end
  outbox_put(wake, owners, conv, owner, now + lease_ms, tries, doubt)
  return 'yours'
end
