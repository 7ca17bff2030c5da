-- Which of these slices may be begun, at most so many new ones. KEYS: held of users, held of guilds, the slices' jobs.
-- ARGV: how many, and the most held jobs of a user and a guild. Returns their places.
local more, ready, begun = tonumber(ARGV[1]), {}, {{}, {}}
for place = 1, #KEYS - 2 do
    local state, worker, cancel, user, guild =
        unpack(redis.call('HMGET', KEYS[place + 2], 'state', 'worker', 'cancel', 'user', 'guild'))
    local room = true
    if (state == 'queued' or state == 'painting') and worker == '' and cancel ~= '1' then
        for i, owner in ipairs({user, guild}) do
            local held = tonumber(redis.call('HGET', KEYS[i], owner) or '0') + (begun[i][owner] or 0)
            room = room and held < tonumber(ARGV[i + 1])
        end
        if room then
            begun[1][user], begun[2][guild] = (begun[1][user] or 0) + 1, (begun[2][guild] or 0) + 1
            more = more - 1
        end
    end
    if room then
        table.insert(ready, place)
    end
    if more == 0 then
        break
    end
end
return ready
