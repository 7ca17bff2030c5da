-- Begin a slice and raise the epoch. KEYS: job, clock, held of users, held of guilds.
-- ARGV: iteration, epoch, worker, deaths allowed, and the most held jobs of a user and a guild, or none of these.
local held = {KEYS[3], KEYS[4]}
local job = {}
for i, name in ipairs({'state', 'epoch', 'iteration', 'worker', 'deaths', 'cancel', 'tag', 'waits'}) do
    job[name] = redis.call('HGET', KEYS[1], name)
end
if job.state ~= 'queued' and job.state ~= 'painting' then
    return false
end
local function claim(epoch, deaths)
    local spec, checkpoints = unpack(redis.call('HMGET', KEYS[1], 'spec', 'checkpoints'))
    return {spec, epoch, checkpoints, job.cancel, deaths >= tonumber(ARGV[4]) and 1 or 0}
end
if job.iteration ~= ARGV[1] then
    return false
end
if job.worker == ARGV[3] and tonumber(job.epoch) == ARGV[2] + 1 then
    return claim(tonumber(job.epoch), tonumber(job.deaths))  -- said again, for the answer was lost on the way
end
if job.epoch ~= ARGV[2] then
    return false
end
-- What was cancelled is not painted, and what a dead worker held is counted already.
if job.worker == '' and job.cancel ~= '1' and not has_room(KEYS[1], held, {ARGV[5], ARGV[6]}) then
    return 'busy'
end
-- A holder that never gave the job back has died on this very slice; or of another's, while this one waited for it.
local deaths = tonumber(job.deaths)
if job.worker ~= '' then
    deaths = deaths + (job.waits == '1' and 0.25 or 1)
end
hold(KEYS[1], held, ARGV[3])
redis.call('HSET', KEYS[1], 'state', 'painting', 'epoch', job.epoch + 1, 'deaths', deaths, 'waits', 0,
    'since', redis.call('TIME')[1])
-- The virtual clock follows the turns that were begun.
if tonumber(job.tag) > tonumber(redis.call('GET', KEYS[2]) or '0') then
    redis.call('SET', KEYS[2], job.tag)
end
return claim(job.epoch + 1, deaths)
