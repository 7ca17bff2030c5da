-- A slice's writes count only while its job is painted in the slice's own epoch. Put in front of the scripts that need it.
local function is_fenced(job, epoch)
    return redis.call('HGET', job, 'state') ~= 'painting' or redis.call('HGET', job, 'epoch') ~= epoch
end
