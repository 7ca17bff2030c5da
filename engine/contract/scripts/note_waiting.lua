-- Note whether the slice waits while another is painted. KEYS: job. ARGV: epoch, 1 or 0.
if redis.call('HGET', KEYS[1], 'state') ~= 'painting' or redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then
    return 'fenced'
end
redis.call('HSET', KEYS[1], 'waits', ARGV[2])
return 1
