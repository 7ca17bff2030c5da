-- Seconds of painting on each UTC day: a hash a day, of users and guilds. Put in front of the scripts that need it.
local DAY = 86400

local function today()
    return math.floor(redis.call('TIME')[1] / DAY)
end

local function spend(job, spent, seconds)
    if tonumber(seconds) > 0 then
        local key = spent .. ':' .. today()
        local user, guild = unpack(redis.call('HMGET', job, 'user', 'guild'))
        redis.call('HINCRBYFLOAT', key, 'user:' .. user, seconds)
        redis.call('HINCRBYFLOAT', key, 'guild:' .. guild, seconds)
        redis.call('EXPIRE', key, 2 * DAY)
    end
end

local function has_spent(spent, owner, most)
    local seconds = redis.call('HGET', spent .. ':' .. today(), owner) or '0'
    return tonumber(most) > 0 and tonumber(seconds) >= tonumber(most)
end
