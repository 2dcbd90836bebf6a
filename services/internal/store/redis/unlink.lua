-- Removes keys of earlier generations while the head is of a generation; -1: it is not (a newer reset, or Redis fell
-- back to a time before the reset, and the values are live again).
-- KEYS: head, keys to remove. ARGV: 1 generation.
if redis.call('GETRANGE', KEYS[1], 9, 16) ~= ARGV[1] then return -1 end
return redis.call('UNLINK', unpack(KEYS, 2))
