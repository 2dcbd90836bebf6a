-- Applies one commit, or nothing at all.
-- KEYS: head (of what is live, or of the draft), changes, lease, keys to put, keys to append to, keys to delete.
-- ARGV: 1 guard expected, with the revision or without, 2 guard to set, 3 packed state, 4 packed change,
--       5 entries to keep; 0: the commit is of a draft, of which nobody is told, 6 packed lease, or empty, 7 its milliseconds, 8 number of puts,
--       9 number of appends, then the values to put, then those to append.
-- Nothing before the first write can fail by halves: Redis refuses a script that lacks memory or the right to
-- write at its first write.
local h = redis.call('GETRANGE', KEYS[1], 0, 32)
if h == '' and ARGV[5] ~= '0' then h = '\1' .. string.rep('\0', 32) end
if string.sub(h, 1, #ARGV[1]) ~= ARGV[1] then return 0 end
local head = ARGV[2] .. struct.pack('>I8', struct.unpack('>I8', h, 26) + 1)
local puts, appends = tonumber(ARGV[8]), tonumber(ARGV[9])
local t, n = {}, 0
for i = 1, puts do
  t[n + 1] = KEYS[3 + i]
  t[n + 2] = ARGV[9 + i]
  n = n + 2
  if n == 6000 then -- unpack fails near 8,000
    redis.call('MSET', unpack(t, 1, n))
    n = 0
  end
end
if n > 0 then redis.call('MSET', unpack(t, 1, n)) end
for i = 1, appends do
  redis.call('APPEND', KEYS[3 + puts + i], ARGV[9 + puts + i])
end
for i = 4 + puts + appends, #KEYS, 6000 do
  redis.call('DEL', unpack(KEYS, i, math.min(i + 5999, #KEYS)))
end
if ARGV[5] ~= '0' then redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[5], '*', 'd', head .. ARGV[4]) end
if ARGV[6] ~= '' then redis.call('SET', KEYS[3], ARGV[6], 'PX', ARGV[7]) end
redis.call('SET', KEYS[1], head .. ARGV[3])
return 1
