-- Begin a slice and raise the epoch. KEYS: job, clock. ARGV: iteration, epoch, worker, deaths allowed.
local job = {}
for i, name in ipairs({'state', 'epoch', 'iteration', 'worker', 'deaths', 'cancel', 'tag'}) do
    job[name] = redis.call('HGET', KEYS[1], name)
end
if job.state ~= 'queued' and job.state ~= 'painting' then
    return false
end
if job.epoch ~= ARGV[2] or job.iteration ~= ARGV[1] then
    return false
end
-- A holder that never gave the job back has died on this very slice.
local deaths = tonumber(job.deaths)
if job.worker ~= '' then
    deaths = deaths + 1
end
redis.call('HSET', KEYS[1], 'state', 'painting', 'epoch', job.epoch + 1, 'worker', ARGV[3],
    'deaths', deaths, 'since', redis.call('TIME')[1])
-- The virtual clock follows the turns that were begun.
if tonumber(job.tag) > tonumber(redis.call('GET', KEYS[2]) or '0') then
    redis.call('SET', KEYS[2], job.tag)
end
local poisoned = 0
if deaths >= tonumber(ARGV[4]) then
    poisoned = 1
end
return {redis.call('HGET', KEYS[1], 'spec'), job.epoch + 1, redis.call('HGET', KEYS[1], 'checkpoints'),
    job.cancel, poisoned}
