-- Keep a style under its name: KEYS the server's styles, the member's servers; ARGV field, style, member, server, the most
-- of a member and of a server. Returns '' or what is in the way.
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then return 'name' end
local mine, all = 0, 0
for _, raw in ipairs(redis.call('HVALS', KEYS[1])) do
  local read, style = pcall(cjson.decode, raw)
  if read and type(style) == 'table' and type(style.owner) == 'string' then
    all = all + 1
    if style.owner == ARGV[3] then mine = mine + 1 end
  end
end
if mine >= tonumber(ARGV[5]) then return 'member' end
if all >= tonumber(ARGV[6]) then return 'server' end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('SADD', KEYS[2], ARGV[4])
return ''
