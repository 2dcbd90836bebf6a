-- Removes the mark, unless it was set anew since it was read.
-- KEYS: stale, and one that is absent: while the slot is on its way from one server to another, Redis refuses a call
-- that names such a key together with others (TRYAGAIN), and keys that a scan has missed may be at the other one.
-- ARGV: 1 mark.
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
