-- A slice's virtual-time tag. KEYS: job, clock, finish, flows, spread, queue.
-- ARGV: guild, user, cost, slice id, where the keys of jobs and of users' indices begin, the queue's score of tag 0 and of
-- a second more, and whether it is a draft's ('1').
-- What was cancelled is not painted any more, and should not wait for its turn.
if redis.call('HGET', KEYS[1], 'cancel') == '1' then
    redis.call('HSET', KEYS[1], 'slice', ARGV[4])
    return '-1'
end
local DRAFTS = ':drafts'
local clock = tonumber(redis.call('GET', KEYS[2]) or '0')
-- A user's weight is one over the users of the guild who have jobs: guilds share equally.
local users = math.max(1, redis.call('HLEN', KEYS[4]))

local function seconds(tag)
    return string.format('%.3f', tag)
end

-- What was queued when the guild had fewer users, or more, lies too close together, or too far apart.
local factor = users / tonumber(redis.call('HGET', KEYS[5], ARGV[1]) or users)
local function stretched(tag)
    return tag > clock and clock + (tag - clock) * factor or tag
end
-- A user's `open` jobs in this guild, which are mostly the newest of all that are remembered of the user.
local function respace(user, open)
    local flow, read = ARGV[1] .. ':' .. user, 0
    for _, name in ipairs({flow, flow .. DRAFTS}) do
        local finish = redis.call('HGET', KEYS[3], name)
        if finish then
            redis.call('HSET', KEYS[3], name, seconds(stretched(tonumber(finish))))
        end
    end
    while open > 0 do
        local ids = redis.call('ZREVRANGE', ARGV[6] .. user, read, read + 9)
        for _, id in ipairs(ids) do
            local key = ARGV[5] .. id
            local guild, state, worker, tag, slice =
                unpack(redis.call('HMGET', key, 'guild', 'state', 'worker', 'tag', 'slice'))
            if guild == ARGV[1] and (state == 'queued' or state == 'painting') then
                open = open - 1
                if worker == '' and slice then
                    tag = stretched(tonumber(tag))
                    redis.call('HSET', key, 'tag', seconds(tag))
                    redis.call('ZADD', KEYS[6], 'XX', math.floor(ARGV[7] + ARGV[8] * tag), slice)
                end
            end
        end
        if #ids < 10 then
            break
        end
        read = read + 10
    end
end
if factor ~= 1 then
    local flows = redis.call('HGETALL', KEYS[4])
    for place = 1, #flows, 2 do
        respace(flows[place], tonumber(flows[place + 1]))
    end
end
redis.call('HSET', KEYS[5], ARGV[1], users)

-- A flow's next tag; its finish grows by the cost.
local function charged(flow)
    local tag = math.max(clock, tonumber(redis.call('HGET', KEYS[3], flow) or '0'))
    redis.call('HSET', KEYS[3], flow, seconds(tag + tonumber(ARGV[3]) * users))
    return tag
end
-- A user's drafts wait for each other alone, and come first among equals; their cost is the user's all the same.
local flow = ARGV[1] .. ':' .. ARGV[2]
local tag = charged(flow)
if ARGV[9] == '1' then
    tag = charged(flow .. DRAFTS) - 0.1
end
redis.call('HSET', KEYS[1], 'tag', seconds(tag), 'slice', ARGV[4])
return seconds(tag)
