-- Returns a partition's header, and the id and the header of its newest change entry, as of one instant.
-- KEYS: head, changes.
local id, entry = '0-0', ''
local newest = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)
if newest[1] then id, entry = newest[1][1], string.sub(newest[1][2][2], 1, 33) end
return {redis.call('GETRANGE', KEYS[1], 0, 32), id, entry}
