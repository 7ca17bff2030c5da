-- End a job. KEYS: job, seen, stream, open, flows, users, held of users, held of guilds, spent.
-- ARGV: epoch, id, user, state, event, seconds to keep, seconds of painting.
local state, epoch, last = unpack(redis.call('HMGET', KEYS[1], 'state', 'epoch', 'last'))
if state == ARGV[4] and epoch == ARGV[1] and last == ARGV[5] then
    return 1  -- said again, for the answer was lost on the way
end
if is_fenced(KEYS[1], ARGV[1]) then
    return 'fenced'
end
give_back(KEYS[1], {KEYS[7], KEYS[8]})
spend(KEYS[1], KEYS[9], ARGV[7])
end_job(KEYS, ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6])
return 1
