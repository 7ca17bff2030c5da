-- Tell an event once. KEYS: job, seen, stream. ARGV: epoch, id, kind, iteration, event.
local state = redis.call('HGET', KEYS[1], 'state')
if state ~= 'painting' or redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then
    return 'fenced'
end
if ARGV[3] == 'progress' then
    -- Progress is told every second for hours: remember only the latest.
    if tonumber(ARGV[4]) <= tonumber(redis.call('HGET', KEYS[1], 'told') or '0') then
        return 0
    end
    redis.call('HSET', KEYS[1], 'told', ARGV[4])
elseif redis.call('SADD', KEYS[2], ARGV[3] .. ':' .. ARGV[4]) == 0 then
    return 0
end
redis.call('XADD', KEYS[3], '*', 'job', ARGV[2], 'event', ARGV[5])
return 1
