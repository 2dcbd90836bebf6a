-- Returns the mark that values of other generations may be left, and the generations that are neither: live, drafted
-- (empty: there is no draft). KEYS: head, stale, draft, and one that is absent, see swept.lua.
local live = redis.call('GETRANGE', KEYS[1], 9, 16)
if live == '' then live = string.rep('\0', 8) end
return {redis.call('GET', KEYS[2]) or '', live, redis.call('GETRANGE', KEYS[3], 9, 16)}
