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
	text          string
	bySHA, byText []any // how a command with the script begins, up to the number of its keys
}

func newScript(text string) *script {
	sum := sha1.Sum([]byte(text)) //nolint:gosec // G401: as above
	return &script{text: text, bySHA: []any{"evalsha", hex.EncodeToString(sum[:]), 1}, byText: []any{"eval", text, 1}}
}

// Consume returns the value as it is afterwards, or nothing if there is no record. ARGV: at; the use as the value holds it; and "1" to write
// also where a record that was used stays as it is.
//
// Of all operations this one has to be fast. So it reads only the beginning and the end of the value, appends what the caller has written,
// and leaves it to the caller to see what it has found.
const consumeText = `#!lua
local value = redis.call('GET', KEYS[1])
if not value then return false end
local expires, stay = string.match(value, '^(%-?%d+) (%d+) ')
local last = string.sub(value, -1)
if expires and last == '-' and expires - ARGV[1] > 0 then
	value = value .. ARGV[2]
	redis.call('SET', KEYS[1], value, 'PX', stay)
elseif ARGV[3] and last == '+' then
	redis.call('SET', KEYS[1], value, 'KEEPTTL')
end
return value
`

// readState reads a record. It leaves the script if there is none. A number becomes text by '%.0f': some servers write large ones as
// 2e+12.
const readState = `#!lua
local value = redis.call('GET', KEYS[1])
if not value then return false end
local expires, timeout, size, start = string.match(value, '^(%-?%d+) %d+ (%-?%d+) %-?%d+ %S+ %d+ %d+ %d+ %d+ %d+ (%d+)\n()')
local last = string.sub(value, -1)
if not expires or not string.find('-+!', last, 1, true) then return redis.error_reply('ERR magiclink: not a record') end
`

// Revoke returns 1 if it has revoked the record, 0 if that was done before, or nothing if there is no record. ARGV: the revocation as the
// value holds it, and "1" to write also where the record was revoked before.
const revokeText = readState + `
if last ~= '!' then
	redis.call('SET', KEYS[1], value .. ARGV[1], 'PXAT', string.format('%.0f', math.max(1, expires + MARGIN)))
	return 1
elseif ARGV[2] then
	redis.call('SET', KEYS[1], value, 'KEEPTTL')
end
return 0
`

// Purge removes the record if it has ended, and returns how many it removed. ARGV: before.
const purgeText = readState + `
local stop = tonumber(expires)
if last == '+' then stop = string.match(value, '^%-(%-?%d+) ', start + size) + timeout * 1000 end
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
	consumeScript = newScript(consumeText)
	revokeScript  = newScript(strings.ReplaceAll(revokeText, "MARGIN", strconv.FormatInt(Margin.Milliseconds(), 10)))
	purgeScript   = newScript(purgeText)
	probeScript   = newScript("#!lua\nreturn 1")
	touchScript   = newScript(touchText)
)
