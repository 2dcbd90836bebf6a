-- Removes values of generations that are neither live nor drafted now, whatever the caller saw before: Redis may have
-- fallen back to a time when they were. Returns how many there were.
-- KEYS: head, draft, keys to remove. ARGV: the generation of each.
local live = redis.call('GETRANGE', KEYS[1], 9, 16)
if live == '' then live = string.rep('\0', 8) end
local drafted = redis.call('GETRANGE', KEYS[2], 9, 16)
local t = {}
for i = 1, #ARGV do
  if ARGV[i] ~= live and ARGV[i] ~= drafted then t[#t + 1] = KEYS[2 + i] end
end
if #t == 0 then return 0 end
redis.call('UNLINK', unpack(t))
return #t
