-- Forget a job that has ended. KEYS: job, seen, open, index. ARGV: id.
if redis.call('SISMEMBER', KEYS[3], ARGV[1]) == 1 then
    return 0
end
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('ZREM', KEYS[4], ARGV[1])
return 1
