-- Notes that nothing older than a generation is left, unless there was a newer reset since.
-- KEYS: stale. ARGV: 1 generation.
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
