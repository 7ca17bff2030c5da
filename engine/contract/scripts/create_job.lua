-- Accept a job once. KEYS: job, open, flows, users, index, spent.
-- ARGV: id, user, guild, spec, created, and the caps, or none of these.
if redis.call('EXISTS', KEYS[1]) == 1 then
    return 0
end
if ARGV[6] then
    local why = refusal({KEYS[2], KEYS[3], KEYS[4], KEYS[6]}, ARGV[2], ARGV[3], {unpack(ARGV, 6)})
    if why then
        return why
    end
end
redis.call('HSET', KEYS[1], 'state', 'queued', 'spec', ARGV[4], 'user', ARGV[2], 'guild', ARGV[3],
    'epoch', 0, 'iteration', 0, 'checkpoints', '', 'worker', '', 'deaths', 0, 'cancel', 0, 'tag', 0,
    'since', redis.call('TIME')[1])
redis.call('SADD', KEYS[2], ARGV[1])
redis.call('HINCRBY', KEYS[3], ARGV[2], 1)
redis.call('HINCRBY', KEYS[4], ARGV[2], 1)
redis.call('ZADD', KEYS[5], ARGV[5], ARGV[1])
return 1
