-- Note whether the slice waits while another is painted. KEYS: job. ARGV: epoch, 1 or 0.
if is_fenced(KEYS[1], ARGV[1]) then
    return 'fenced'
end
redis.call('HSET', KEYS[1], 'waits', ARGV[2])
return 1
