-- Raises the epoch of a partition, and of its draft, and sets the lease. Returns {head, stale}, stale being "1" where
-- values of other generations may be left; or {'', lease, milliseconds} while another owner's lease holds.
-- KEYS: head, stale, lease, draft, renewed.
-- ARGV: 1 packed lease, empty for a claim by force, 2 how the lease of the same owner begins, 3 its milliseconds,
--       4 run id of the server whose append-only file is known to be whole, or empty.
-- The new epoch is at least the time in microseconds, so that none comes twice after Redis lost writes.
local h = redis.call('GET', KEYS[1])
if not h then h = '\1' .. string.rep('\0', 33) end
if string.byte(h, 1) ~= 1 then return redis.error_reply('HALEFORMAT head of another version') end
if ARGV[1] ~= '' then
  local held = redis.call('GET', KEYS[3])
  if held and string.sub(held, 1, #ARGV[2]) ~= ARGV[2] then return {'', held, tostring(redis.call('PTTL', KEYS[3]))} end
end
local now = redis.call('TIME')
local epoch = math.max(struct.unpack('>I8', h, 2) + 1, tonumber(now[1]) * 1000000 + tonumber(now[2]))
local packed = struct.pack('>I8', epoch)
h = '\1' .. packed .. string.sub(h, 10)
redis.call('SET', KEYS[1], h)
if redis.call('EXISTS', KEYS[4]) == 1 then redis.call('SETRANGE', KEYS[4], 1, packed) end
if ARGV[1] ~= '' then redis.call('SET', KEYS[3], ARGV[1], 'PX', ARGV[3]) end
if ARGV[4] ~= '' and redis.call('GET', KEYS[5]) ~= ARGV[4] then redis.call('SET', KEYS[5], ARGV[4]) end
return {h, redis.call('EXISTS', KEYS[2]) == 1 and '1' or ''}
