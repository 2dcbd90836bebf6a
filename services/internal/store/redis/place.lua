-- Returns a partition's header and the id of its newest change entry, as of one instant. KEYS: head, changes.
local id = '0-0'
local newest = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)
if newest[1] then id = newest[1][1] end
return {redis.call('GETRANGE', KEYS[1], 0, 32), id}
