-- Why there is no room for a job, and until when where that is known, in Unix time; false where there is.
-- Put in front of the scripts that need it. `keys`: open, flows, users, spent. `most`: the most open jobs of a user, a
-- guild and all, the most seconds a day of a user and a guild (0: no limit), and the most open jobs of a user in the
-- guild (0: no limit).
local function refusal(keys, user, guild, most)
    if has_spent(keys[4], 'user:' .. user, most[4]) then
        return {'user day', (today() + 1) * DAY}
    end
    if has_spent(keys[4], 'guild:' .. guild, most[5]) then
        return {'guild day', (today() + 1) * DAY}
    end
    if tonumber(redis.call('HGET', keys[3], user) or '0') >= tonumber(most[1]) then
        return {'user'}
    end
    local member = tonumber(most[6] or '0')
    if member > 0 and tonumber(redis.call('HGET', keys[2], user) or '0') >= member then
        return {'member'}
    end
    local open = 0
    for _, count in ipairs(redis.call('HVALS', keys[2])) do
        open = open + count
    end
    if open >= tonumber(most[2]) then
        return {'guild'}
    end
    if redis.call('SCARD', keys[1]) >= tonumber(most[3]) then
        return {'total'}
    end
    return false
end
