-- A job is held while its `worker` is not empty; two hashes count whose held jobs there are: of users, and of guilds.
-- Put in front of the scripts that need it. `most` holds the most held jobs of a user and of a guild, or nothing.
local function owners(job)
    return redis.call('HMGET', job, 'user', 'guild')
end

local function has_room(job, held, most)
    for i, owner in ipairs(owners(job)) do
        if most[i] and tonumber(redis.call('HGET', held[i], owner) or '0') >= tonumber(most[i]) then
            return false
        end
    end
    return true
end

local function hold(job, held, worker)
    if redis.call('HGET', job, 'worker') == '' then
        for i, owner in ipairs(owners(job)) do
            redis.call('HINCRBY', held[i], owner, 1)
        end
    end
    redis.call('HSET', job, 'worker', worker)
end

local function give_back(job, held)
    if redis.call('HGET', job, 'worker') ~= '' then
        for i, owner in ipairs(owners(job)) do
            if redis.call('HINCRBY', held[i], owner, -1) <= 0 then
                redis.call('HDEL', held[i], owner)
            end
        end
    end
    redis.call('HSET', job, 'worker', '')
end
