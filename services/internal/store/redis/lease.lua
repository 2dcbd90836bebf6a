-- Renews the lease of a partition, or ends it. Returns 0, having done nothing, when the epoch is not the stored one.
-- KEYS: head, lease. ARGV: 1 version and epoch expected, 2 packed lease, empty to end it, 3 its milliseconds.
local h = redis.call('GETRANGE', KEYS[1], 0, 8)
if h == '' then h = '\1' .. string.rep('\0', 8) end
if h ~= ARGV[1] then return 0 end
if ARGV[2] ~= '' then
  redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
else
  redis.call('DEL', KEYS[2])
end
return 1
