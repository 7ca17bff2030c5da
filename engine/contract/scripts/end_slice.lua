-- End a slice. KEYS: job, held of users, held of guilds, spent. ARGV: epoch, iteration, checkpoint or '', seconds.
if is_fenced(KEYS[1], ARGV[1]) then
    return 'fenced'
end
if redis.call('HGET', KEYS[1], 'worker') ~= '' then  -- else it is said again, for the answer was lost on the way
    spend(KEYS[1], KEYS[4], ARGV[4])
end
give_back(KEYS[1], {KEYS[2], KEYS[3]})
redis.call('HSET', KEYS[1], 'since', redis.call('TIME')[1])
if ARGV[3] == '' then
    return {}
end
-- Keep the newest two: one to go on from, one to fall back to.
local kept, dropped = {ARGV[3]}, {}
for key in string.gmatch(redis.call('HGET', KEYS[1], 'checkpoints'), '%S+') do
    if key ~= ARGV[3] then
        if #kept < 2 then
            table.insert(kept, key)
        else
            table.insert(dropped, key)
        end
    end
end
redis.call('HSET', KEYS[1], 'iteration', ARGV[2], 'checkpoints', table.concat(kept, ' '), 'deaths', 0)
return dropped
