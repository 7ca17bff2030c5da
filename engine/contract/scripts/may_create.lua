-- Whether `create` would accept a job. KEYS: open, flows, users, spent. ARGV: user, guild, and the caps.
return refusal(KEYS, ARGV[1], ARGV[2], {unpack(ARGV, 3)})
