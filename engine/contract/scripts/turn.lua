-- A slice's virtual-time tag. KEYS: job, clock, finish, flows. ARGV: flow, cost, slice id.
local clock = tonumber(redis.call('GET', KEYS[2]) or '0')
local finish = tonumber(redis.call('HGET', KEYS[3], ARGV[1]) or '0')
local tag = math.max(clock, finish)
-- A user's weight is one over the users of the guild who have jobs: guilds share equally.
local users = math.max(1, redis.call('HLEN', KEYS[4]))
redis.call('HSET', KEYS[3], ARGV[1], string.format('%.3f', tag + tonumber(ARGV[2]) * users))
redis.call('HSET', KEYS[1], 'tag', string.format('%.3f', tag), 'slice', ARGV[3])
return string.format('%.3f', tag)
