package redis

import (
	"crypto/sha1" //nolint:gosec // G505: Redis names scripts by SHA-1
	"encoding/hex"
	"strconv"
	"strings"
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

// readState cuts a value into the words of its state, and start is where by begins. It leaves the script if there is no such record.
// A number becomes text by '%.0f': some servers write large ones as 2e+12.
const readState = `#!lua
local function broom(stop) return string.format('%.0f', math.max(1, stop + MARGIN)) end
local value = redis.call('GET', KEYS[1])
if not value then return false end
local expires, consumed, revoked, timeout, mark, size, start =
	string.match(value, '^(%-?%d+) (%-?%d*) (%-?%d*) (%-?%d+) (%S+) (%d+)\n()')
if not expires then return redis.error_reply('ERR magiclink: not a record') end
`

// Consume returns the value as it is afterwards. ARGV: at, then mark, size and by as the value holds them, and "1" to write also where
// a record that was consumed stays as it is.
const consumeText = `
if revoked == '-' and consumed == '-' and tonumber(ARGV[1]) < tonumber(expires) then
	value = expires .. ' ' .. ARGV[1] .. ' - ' .. timeout .. ARGV[2] .. string.sub(value, start + size)
	redis.call('SET', KEYS[1], value, 'PXAT', broom(ARGV[1] + timeout * 1000))
elseif ARGV[3] == '1' and revoked == '-' and consumed ~= '-' then
	redis.call('PEXPIREAT', KEYS[1], broom(consumed + timeout * 1000))
end
return value
`

// Revoke returns 1 if it has revoked the record, 0 if that was done before, or nothing if there is no record. ARGV: at, and "1" to write also where the record was revoked before.
const revokeText = `
if revoked == '-' then
	value = expires .. ' ' .. consumed .. ' ' .. ARGV[1] .. ' ' .. timeout .. ' ' .. mark .. ' ' .. size .. '\n' .. string.sub(value, start)
	redis.call('SET', KEYS[1], value, 'PXAT', broom(expires))
	return 1
elseif ARGV[2] == '1' then
	redis.call('PEXPIREAT', KEYS[1], broom(expires))
end
return 0
`

// Purge removes the record if it has ended, and returns how many it removed. ARGV: before.
const purgeText = `
local stop = tonumber(expires)
if consumed ~= '-' and revoked == '-' then stop = consumed + timeout * 1000 end
if stop < tonumber(ARGV[1]) then return redis.call('DEL', KEYS[1]) end
return 0
`

// Touch sends a write to the replicas that leaves the key as it is.
const touchText = `#!lua
local stop = redis.call('PEXPIRETIME', KEYS[1])
if stop > 0 then
	redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', stop))
elseif stop == -2 then
	redis.call('SET', KEYS[1], '', 'PX', 1000)
	redis.call('DEL', KEYS[1])
end
`

var (
	consumeScript = newScript(stateScript(consumeText))
	revokeScript  = newScript(stateScript(revokeText))
	purgeScript   = newScript(stateScript(purgeText))
	probeScript   = newScript("#!lua\nreturn 1")
	touchScript   = newScript(touchText)
)

// stateScript returns a script that begins with readState.
func stateScript(text string) string {
	return strings.ReplaceAll(readState+text, "MARGIN", strconv.FormatInt(Margin.Milliseconds(), 10))
}
