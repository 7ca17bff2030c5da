-- Tell an event once. KEYS: job, seen, stream. ARGV: epoch, id, kind, iteration, event.
if is_fenced(KEYS[1], ARGV[1]) then
    return 'fenced'
end
if ARGV[3] == 'progress' then
    -- Told every second, for days maybe: the stream holds the latest alone.
    if tonumber(ARGV[4]) <= tonumber(redis.call('HGET', KEYS[1], 'told') or '0') then
        return 0
    end
    local before = redis.call('HGET', KEYS[1], 'progress')
    if before then
        redis.call('XDEL', KEYS[3], before)
    end
elseif redis.call('SADD', KEYS[2], ARGV[3] .. ':' .. ARGV[4]) == 0 then
    return 0
end
local entry = redis.call('XADD', KEYS[3], '*', 'job', ARGV[2], 'event', ARGV[5])
if ARGV[3] == 'progress' then
    redis.call('HSET', KEYS[1], 'told', ARGV[4], 'progress', entry)
end
return 1
