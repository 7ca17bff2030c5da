-- End a job. KEYS: job, seen, stream, open, flows, users, held of users, held of guilds, spent.
-- ARGV: epoch, id, user, state, event, seconds to keep, seconds of painting.
local state, epoch, last = unpack(redis.call('HMGET', KEYS[1], 'state', 'epoch', 'last'))
if state == ARGV[4] and epoch == ARGV[1] and last == ARGV[5] then
    return 1  -- said again, for the answer was lost on the way
end
if state ~= 'painting' or epoch ~= ARGV[1] then
    return 'fenced'
end
give_back(KEYS[1], {KEYS[7], KEYS[8]})
spend(KEYS[1], KEYS[9], ARGV[7])
redis.call('HSET', KEYS[1], 'state', ARGV[4], 'last', ARGV[5], 'since', redis.call('TIME')[1])
redis.call('XADD', KEYS[3], '*', 'job', ARGV[2], 'event', ARGV[5])
redis.call('SREM', KEYS[4], ARGV[2])
for _, counts in ipairs({KEYS[5], KEYS[6]}) do
    if redis.call('HINCRBY', counts, ARGV[3], -1) <= 0 then
        redis.call('HDEL', counts, ARGV[3])
    end
end
redis.call('EXPIRE', KEYS[1], ARGV[6])
redis.call('EXPIRE', KEYS[2], ARGV[6])
return 1
