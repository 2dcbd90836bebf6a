-- Begins a new generation of a partition: cursor 0, no state, the same epoch. Returns the new head, or nil when the
-- epoch is not the stored one.
-- KEYS: head, changes, stale. ARGV: 1 version and epoch expected, 2 packed change, 3 entries to keep.
local h = redis.call('GETRANGE', KEYS[1], 0, 32)
if h == '' then h = '\1' .. string.rep('\0', 32) end
if string.byte(h, 1) ~= 1 then return redis.error_reply('HALEFORMAT head of another version') end
if string.sub(h, 1, 9) ~= ARGV[1] then return false end
local generation = struct.pack('>I8', struct.unpack('>I8', h, 10) + 1)
local revision = struct.pack('>I8', struct.unpack('>I8', h, 26) + 1)
local head = ARGV[1] .. generation .. string.rep('\0', 8) .. revision
redis.call('SET', KEYS[3], generation)
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[3], '*', 'd', head .. ARGV[2])
redis.call('SET', KEYS[1], head .. '\0')
return head .. '\0'
