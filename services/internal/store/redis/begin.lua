-- Begins a draft: a new generation, cursor 0, no state. Returns its head, or nil when the epoch is not the stored one.
-- KEYS: head, stale, draft, last. ARGV: 1 version and epoch expected.
local h = redis.call('GETRANGE', KEYS[1], 0, 32)
if h == '' then h = '\1' .. string.rep('\0', 32) end
if string.byte(h, 1) ~= 1 then return redis.error_reply('HALEFORMAT head of another version') end
if string.sub(h, 1, 9) ~= ARGV[1] then return false end
local last = struct.unpack('>I8', h, 10)
local given = redis.call('GET', KEYS[4])
if given then last = math.max(last, (struct.unpack('>I8', given))) end
local generation = struct.pack('>I8', last + 1)
local head = ARGV[1] .. generation .. string.rep('\0', 17)
local now = redis.call('TIME')
redis.call('SET', KEYS[4], generation)
if redis.call('EXISTS', KEYS[3]) == 1 then -- its values are no draft's any more
  redis.call('SET', KEYS[2], generation .. 'begin ' .. now[1] .. '.' .. now[2])
end
redis.call('SET', KEYS[3], head)
return head
