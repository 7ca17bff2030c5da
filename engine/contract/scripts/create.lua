-- Accept a job once. KEYS: job, open, flows. ARGV: id, user, spec.
if redis.call('EXISTS', KEYS[1]) == 1 then
    return 0
end
redis.call('HSET', KEYS[1], 'state', 'queued', 'spec', ARGV[3], 'epoch', 0, 'iteration', 0,
    'checkpoints', '', 'worker', '', 'deaths', 0, 'cancel', 0, 'tag', 0, 'since', redis.call('TIME')[1])
redis.call('SADD', KEYS[2], ARGV[1])
redis.call('HINCRBY', KEYS[3], ARGV[2], 1)
return 1
