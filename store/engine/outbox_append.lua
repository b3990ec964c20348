-- Included by scripts that write effects: appends one and says who sends it.
--
-- outbox_append(list, wake, owners, conv, body, owner, lease_ms) returns
--   "yours"    `owner` has the lease now: deliver at once
--   "owned"    another process has the lease and will deliver it
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
