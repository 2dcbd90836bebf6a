-- Drops the draft. Returns 0 when the epoch is not the stored one, 1 when there was no draft, 2 when it was dropped.
-- KEYS: head, stale, draft. ARGV: 1 version and epoch expected.
local h = redis.call('GETRANGE', KEYS[1], 0, 8)
if h == '' then h = '\1' .. string.rep('\0', 8) end
if h ~= ARGV[1] then return 0 end
local d = redis.call('GETRANGE', KEYS[3], 9, 16)
if d == '' then return 1 end
local now = redis.call('TIME')
redis.call('SET', KEYS[2], d .. 'drop ' .. now[1] .. '.' .. now[2])
redis.call('DEL', KEYS[3])
return 2
