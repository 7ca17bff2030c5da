-- Delete what a member saved in one server: KEYS the server's styles, the member's servers; ARGV member, server.
-- Returns the styles that were deleted. One that is saved at the same time comes before all of this, or after it.
local gone = {}
local all = redis.pcall('HGETALL', KEYS[1])
if all.err then all = {} end -- of another kind, and so no style of ours
for i = 1, #all, 2 do
  local read, style = pcall(cjson.decode, all[i + 1])
  if read and type(style) == 'table' and style.owner == ARGV[1] then
    redis.call('HDEL', KEYS[1], all[i])
    gone[#gone + 1] = all[i + 1]
  end
end
redis.call('SREM', KEYS[2], ARGV[2])
return gone
