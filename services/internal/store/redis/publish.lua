-- Puts the draft in place of what is live. Returns the new head, which may be live already by an earlier call; nil
-- when the epoch is not the stored one, or there is no draft of that generation.
-- KEYS: head, changes, stale, draft. ARGV: 1 version and epoch expected, 2 generation, 3 packed change,
--       4 entries to keep.
local h = redis.call('GET', KEYS[1]) or ('\1' .. string.rep('\0', 33))
if string.byte(h, 1) ~= 1 then return redis.error_reply('HALEFORMAT head of another version') end
if string.sub(h, 1, 9) ~= ARGV[1] then return false end
local d = redis.call('GET', KEYS[4])
if not d or string.sub(d, 10, 17) ~= ARGV[2] then
  if string.sub(h, 10, 17) == ARGV[2] then return h end
  return false
end
local head = ARGV[1] .. string.sub(d, 10, 25) .. struct.pack('>I8', struct.unpack('>I8', h, 26) + 1)
local now = redis.call('TIME')
redis.call('SET', KEYS[3], ARGV[2] .. 'publish ' .. now[1] .. '.' .. now[2])
redis.call('DEL', KEYS[4])
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[4], '*', 'd', head .. ARGV[3])
redis.call('SET', KEYS[1], head .. string.sub(d, 34))
return head .. string.sub(d, 34)
