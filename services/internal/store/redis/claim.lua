-- Raises the epoch of a partition and returns its head, and "1" where values of earlier generations may be left.
-- KEYS: head, stale.
-- The new epoch is at least the time in microseconds, so that none comes twice after Redis lost writes.
local h = redis.call('GET', KEYS[1])
if not h then h = '\1' .. string.rep('\0', 33) end
if string.byte(h, 1) ~= 1 then return redis.error_reply('HALEFORMAT head of another version') end
local now = redis.call('TIME')
local epoch = math.max(struct.unpack('>I8', h, 2) + 1, tonumber(now[1]) * 1000000 + tonumber(now[2]))
h = '\1' .. struct.pack('>I8', epoch) .. string.sub(h, 10)
redis.call('SET', KEYS[1], h)
return {h, redis.call('EXISTS', KEYS[2]) == 1 and '1' or ''}
