-- Begins a new generation of a partition: cursor 0, no state, the same epoch, no draft. Returns the new head, or nil
-- when the epoch is not the stored one.
-- KEYS: head, changes, stale, draft, last. ARGV: 1 version and epoch expected, 2 packed change, 3 entries to keep.
local h = redis.call('GETRANGE', KEYS[1], 0, 32)
if h == '' then h = '\1' .. string.rep('\0', 32) end
if string.byte(h, 1) ~= 1 then return redis.error_reply('HALEFORMAT head of another version') end
if string.sub(h, 1, 9) ~= ARGV[1] then return false end
local last = struct.unpack('>I8', h, 10)
local given = redis.call('GET', KEYS[5])
if given then last = math.max(last, (struct.unpack('>I8', given))) end
local generation = struct.pack('>I8', last + 1)
local revision = struct.pack('>I8', struct.unpack('>I8', h, 26) + 1)
local head = ARGV[1] .. generation .. string.rep('\0', 8) .. revision
local now = redis.call('TIME')
redis.call('SET', KEYS[3], generation .. 'reset ' .. now[1] .. '.' .. now[2])
redis.call('SET', KEYS[5], generation)
redis.call('DEL', KEYS[4])
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[3], '*', 'd', head .. ARGV[2])
redis.call('SET', KEYS[1], head .. '\0')
return head .. '\0'
