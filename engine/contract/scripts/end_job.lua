-- A job's end, and its last event. Put in front of the scripts that need it.
-- `keys`: job, seen, stream, open, flows, users.
local function end_job(keys, id, user, state, event, keep)
    redis.call('HSET', keys[1], 'state', state, 'last', event, 'since', redis.call('TIME')[1])
    redis.call('XADD', keys[3], '*', 'job', id, 'event', event)
    redis.call('SREM', keys[4], id)
    for _, counts in ipairs({keys[5], keys[6]}) do
        if redis.call('HINCRBY', counts, user, -1) <= 0 then
            redis.call('HDEL', counts, user)
        end
    end
    redis.call('EXPIRE', keys[1], keep)
    redis.call('EXPIRE', keys[2], keep)
end
