-- Accept a job once. KEYS: job, open, flows, users, index.
-- ARGV: id, user, guild, spec, created, and the most open jobs of a user, a guild and all, or none of these.
if redis.call('EXISTS', KEYS[1]) == 1 then
    return 0
end
if ARGV[6] then
    if tonumber(redis.call('HGET', KEYS[4], ARGV[2]) or '0') >= tonumber(ARGV[6]) then
        return 'user'
    end
    local open = 0
    for _, count in ipairs(redis.call('HVALS', KEYS[3])) do
        open = open + count
    end
    if open >= tonumber(ARGV[7]) then
        return 'guild'
    end
    if redis.call('SCARD', KEYS[2]) >= tonumber(ARGV[8]) then
        return 'total'
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
