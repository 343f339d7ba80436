package redis

import (
	"crypto/sha1" //nolint:gosec // G505: Redis names scripts by SHA-1
	"encoding/hex"
	"fmt"
)

// script is a program that the server runs in one atomic step. It begins with "#!lua" and names no flags: a server that takes no
// writes (a read-only replica, a full or failing one) then refuses the script before it begins.
type script struct {
	text, sha string
}

func newScript(text string) *script {
	sum := sha1.Sum([]byte(text)) //nolint:gosec // G401: as above
	return &script{text: text, sha: hex.EncodeToString(sum[:])}
}

// readState cuts a value into the words of its state, by, and what never changes. It leaves the script if there is no such record.
// A number becomes text by '%.0f': Lua writes large ones as 1.8e+12.
const readState = `
local value = redis.call('GET', KEYS[1])
if not value then return false end
local expires, consumed, revoked, timeout, mark, size, start =
	string.match(value, '^(%-?%d+) (%-?%d*) (%-?%d*) (%-?%d+) (%S+) (%d+)\n()')
if not expires then return redis.error_reply('ERR magiclink: not a record') end
local by, rest = string.sub(value, start, start + size - 1), string.sub(value, start + size)
local function put()
	value = table.concat({expires, consumed, revoked, timeout, mark, #by}, ' ') .. '\n' .. by .. rest
end
local function broom()
	local stop = tonumber(expires)
	if consumed ~= '-' and revoked == '-' then stop = consumed + timeout * 1000 end
	return string.format('%.0f', math.max(1, math.min(stop + MARGIN, LARGEST)))
end
`

// Consume returns the value as it is afterwards. ARGV: at, by, the mark of the call or "-", and "1" to write where nothing changes.
// The order of the verdicts is that of magiclink.Record.Verdict.
const consumeText = `
local same = by ~= '' and by == ARGV[2] or mark ~= '-' and mark == ARGV[3]
if revoked == '-' and consumed == '-' and tonumber(ARGV[1]) < tonumber(expires) then
	consumed, by, mark = ARGV[1], ARGV[2], ARGV[3]
	put()
	redis.call('SET', KEYS[1], value, 'PXAT', broom())
elseif same and consumed ~= '-' and revoked == '-' and ARGV[4] == '1' then
	redis.call('PEXPIREAT', KEYS[1], broom())
end
return value
`

// Revoke returns 1, or nothing if there is no record. ARGV: at, and "1" to write where nothing changes.
const revokeText = `
if revoked == '-' then
	revoked = ARGV[1]
	put()
	redis.call('SET', KEYS[1], value, 'PXAT', broom())
elseif ARGV[2] == '1' then
	redis.call('PEXPIREAT', KEYS[1], broom())
end
return 1
`

// Purge removes the record if it has ended, and returns how many it removed. ARGV: before.
const purgeText = `
local stop = tonumber(expires)
if consumed ~= '-' and revoked == '-' then stop = consumed + timeout * 1000 end
if stop < tonumber(ARGV[1]) then return redis.call('DEL', KEYS[1]) end
return 0
`

var (
	consumeScript = newScript(stateScript(consumeText))
	revokeScript  = newScript(stateScript(revokeText))
	purgeScript   = newScript(stateScript(purgeText))
	probeScript   = newScript("#!lua\nreturn 1")
)

// stateScript fills the constants of this package in.
func stateScript(text string) string {
	constants := fmt.Sprintf("#!lua\nlocal MARGIN, LARGEST = %d, %d\n", Margin.Milliseconds(), int64(largest))
	return constants + readState + text
}
