-- Ask for a job's end. KEYS: job, seen, stream, open, flows, users, control, queue.
-- ARGV: id, user, event, seconds to keep, a score before all others'.
local state, slice, iteration, epoch = unpack(redis.call('HMGET', KEYS[1], 'state', 'slice', 'iteration', 'epoch'))
if state == 'painting' then
    redis.call('HSET', KEYS[1], 'cancel', 1)
    -- Not the slice that is being painted, which has the epoch before.
    if slice == ARGV[1] .. ':' .. iteration .. ':' .. epoch then
        redis.call('ZADD', KEYS[8], 'XX', ARGV[5], slice)
    end
    redis.call('XADD', KEYS[7], 'MAXLEN', '~', 1000, '*', 'job', ARGV[1])
    return 1
end
if state ~= 'queued' then
    return 0
end
end_job(KEYS, ARGV[1], ARGV[2], 'cancelled', ARGV[3], ARGV[4])
return 1
