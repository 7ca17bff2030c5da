-- Which of these slices may be begun, at most so many new ones. KEYS: held of users, held of guilds, the slices' jobs.
-- ARGV: how many, the most held jobs of a user and a guild, and each slice's epoch. Returns their places.
local more, ready, begun = tonumber(ARGV[1]), {}, {{}, {}}
for place = 1, #KEYS - 2 do
    local state, worker, cancel, user, guild, epoch =
        unpack(redis.call('HMGET', KEYS[place + 2], 'state', 'worker', 'cancel', 'user', 'guild', 'epoch'))
    -- What a worker holds has been begun: it is in the queue until it ends. What was queued anew has the newer epoch.
    local room = not (worker and worker ~= '' and tonumber(ARGV[place + 3]) < (tonumber(epoch) or 0))
    if room and (state == 'queued' or state == 'painting') and worker == '' and cancel ~= '1' then
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
