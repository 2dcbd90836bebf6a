-- Returns head, lease, the milliseconds left of it, and the draft's head, as of one instant; empty: there is none.
-- KEYS: head, lease, draft.
local lease = redis.call('GET', KEYS[2]) or ''
return {redis.call('GET', KEYS[1]) or '', lease, tostring(redis.call('PTTL', KEYS[2])), redis.call('GET', KEYS[3]) or ''}
