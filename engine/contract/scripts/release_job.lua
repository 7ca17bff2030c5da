-- Give a job back unpainted, if this worker holds it. KEYS: job, held of users, held of guilds. ARGV: worker.
if redis.call('HGET', KEYS[1], 'worker') == ARGV[1] then
    give_back(KEYS[1], {KEYS[2], KEYS[3]})
    redis.call('HSET', KEYS[1], 'since', redis.call('TIME')[1])
end
