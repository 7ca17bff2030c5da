-- Which of the queue's slices may be begun now, in order, at most so many new ones; those that cannot be read, too.
-- KEYS: the queue, held of users, held of guilds. ARGV: how many, the most held jobs of a user and a guild, the prefixes
-- of a job's key and of arq's mark on what a worker has taken up, and the jobs that are left to others. Returns their
-- names, some hundred at most.
local PAGE, MOST = 500, 100
local more, names, known = tonumber(ARGV[1]), {}, {{}, {}}
local now, first = redis.call('TIME')[1] * 1000, 0
local left = {}
for i = 6, #ARGV do
    left[ARGV[i]] = true
end

-- Jobs of a user (1) or a guild (2) that workers hold, or are about to.
local function held(i, owner)
    known[i][owner] = known[i][owner] or tonumber(redis.call('HGET', KEYS[i + 1], owner) or '0')
    return known[i][owner]
end

local function free(name)
    local job, epoch = string.match(name, '^(.+):%d+:(%d+)$')
    if left[job] then
        return false
    end
    local state, worker, cancel, user, guild, newest =
        unpack(redis.pcall('HMGET', ARGV[4] .. (job or name), 'state', 'worker', 'cancel', 'user', 'guild', 'epoch'))
    -- What a worker holds has been begun: it is in the queue until it ends. What was queued anew has the newer epoch.
    local room = not (worker and worker ~= '' and tonumber(epoch or 0) < (tonumber(newest) or 0))
    local waits = (state == 'queued' or state == 'painting') and worker == '' and cancel ~= '1'
    if room and waits and user and guild then
        room = held(2, guild) < tonumber(ARGV[3]) and held(1, user) < tonumber(ARGV[2])
        if room then
            known[1][user], known[2][guild] = held(1, user) + 1, held(2, guild) + 1
            more = more - 1
        end
    end
    return room
end

repeat
    local page = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', first, PAGE)
    local marks = {}
    for place, name in ipairs(page) do
        marks[place] = ARGV[5] .. name
    end
    -- One question for all: what is being painted stands in front, hundreds of slices with hundreds of workers.
    local taken = #page > 0 and redis.call('MGET', unpack(marks)) or {}
    for place, name in ipairs(page) do
        if more == 0 or #names == MOST then
            return names
        end
        if not taken[place] and free(name) then
            table.insert(names, name)
        end
    end
    first = first + PAGE
until #page < PAGE
return names
