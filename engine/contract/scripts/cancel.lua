-- Ask for a job's end. KEYS: job, seen, stream, open, flows, users, control, queue.
-- ARGV: id, user, event, seconds to keep, a score before all others'.
local state, worker, slice = unpack(redis.call('HMGET', KEYS[1], 'state', 'worker', 'slice'))
if state == 'painting' then
    redis.call('HSET', KEYS[1], 'cancel', 1)
    if worker == '' and slice then
        redis.call('ZADD', KEYS[8], 'XX', ARGV[5], slice)
    end
    redis.call('XADD', KEYS[7], 'MAXLEN', '~', 1000, '*', 'job', ARGV[1])
    return 1
end
if state ~= 'queued' then
    return 0
end
redis.call('HSET', KEYS[1], 'state', 'cancelled', 'last', ARGV[3], 'since', redis.call('TIME')[1])
redis.call('XADD', KEYS[3], '*', 'job', ARGV[1], 'event', ARGV[3])
redis.call('SREM', KEYS[4], ARGV[1])
for _, counts in ipairs({KEYS[5], KEYS[6]}) do
    if redis.call('HINCRBY', counts, ARGV[2], -1) <= 0 then
        redis.call('HDEL', counts, ARGV[2])
    end
end
redis.call('EXPIRE', KEYS[1], ARGV[4])
redis.call('EXPIRE', KEYS[2], ARGV[4])
return 1
