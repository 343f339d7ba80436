package redis

import (
	"strconv"
	"strings"
)

// dropStale removes members whose links are gone, by the clock of the server, which removes the links by the same clock.
const dropStale = `
local function drop_stale(members)
	local clock = redis.call('TIME')
	for _, member in ipairs(members) do
		if tonumber(string.sub(member, -16)) < clock[1] * 1000 then redis.call('ZREM', KEYS[1], member) end
	end
end
`

// A Store lets one in trimEvery of its new members look for stale ones, among trimWidth members with the smallest ids, which as a rule are
// the oldest. So more members leave than come.
const (
	trimEvery = 8
	trimWidth = 16
)

// Add puts a member into the index, which lasts at least as long as each of its members, and up to a margin longer, so that few additions
// have to change that. ARGV: the member; its time; "1" to write also where nothing changes; and how many members to look at, or "".
const addText = `#!lua
redis.call('ZADD', KEYS[1], 0, ARGV[1])
local kept = redis.call('PEXPIRETIME', KEYS[1])
if kept < tonumber(ARGV[2]) then
	redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', ARGV[2] + MARGIN))
elseif ARGV[3] == '1' then
	redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', kept))
end
if ARGV[4] ~= '' then` + dropStale + `drop_stale(redis.call('ZRANGE', KEYS[1], 0, ARGV[4] - 1)) end
return 1
`

// Entries returns the next members, the largest first. It is a write for the server, so that no replica answers, but one that a full server
// carries out. ARGV: where to begin, and how many.
const entriesText = `#!lua flags=allow-oom
return redis.call('ZRANGE', KEYS[1], ARGV[1], '-', 'BYLEX', 'REV', 'LIMIT', 0, ARGV[2])
`

// Trim removes the stale ones of the next members, the smallest first. It returns the last that it has looked at, or nothing at the end.
// ARGV: where to begin, and how many.
const trimText = `#!lua flags=allow-oom` + dropStale + `
local members = redis.call('ZRANGE', KEYS[1], ARGV[1], '+', 'BYLEX', 'LIMIT', 0, ARGV[2])
drop_stale(members)
if #members < tonumber(ARGV[2]) then return false end
return members[#members]
`

var (
	addScript     = newScript(strings.ReplaceAll(addText, "MARGIN", strconv.FormatInt(Margin.Milliseconds(), 10)))
	entriesScript = newScript(entriesText)
	trimScript    = newScript(trimText)
)
