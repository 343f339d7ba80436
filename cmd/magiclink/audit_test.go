package main_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// events decodes an audit log. Each line must be one object.
func events(t *testing.T, path string) (list []map[string]any) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		var event map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &event), line)
		list = append(list, event)
	}
	return list
}

// brief writes an event as its actor, op and reason.
func brief(list []map[string]any) (words []string) {
	for _, event := range list {
		words = append(words, strings.TrimSpace(event["actor"].(string)+" "+event["op"].(string)+" "+event["reason"].(string)))
	}
	return words
}

// serve and the commands append to one audit log: who did what, and nothing personal.
func TestAudit(t *testing.T) {
	folder := t.TempDir()
	path := dataFile(folder, "audit.log")
	p := serve(t, folder, testClient, "-audit", path) // a first start, which makes the directory
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	env := []string{"MAGICLINK_AUDIT=" + path, "MAGICLINK_BASE_URL=" + p.BaseURL}
	made := p.issue(p.token(), acme)
	require.Equal(t, http.StatusCreated, made.status)
	token, data := p.redeemed(t, made.body)
	link := strings.TrimSpace(command(t, folder, env, "issue", "-external-business", "acme", "-email", "jane@example.com", "-path", "/canary").stdout)
	require.Zero(t, command(t, folder, env, "redeem", link).code)
	require.Equal(t, 1, command(t, folder, env, "redeem", link).code)
	id := data["magic_link_id"].(string)
	for _, args := range [][]string{
		{"links", "list"},
		{"links", "show", id},
		{"sessions", "list"},
		{"sessions", "end", id},
		{"links", "revoke", id},
		{"links", "revoke", "-email", "jane@example.com"},
	} {
		require.Zero(t, command(t, folder, env, args...).code, args)
	}
	list := events(t, path)
	words := brief(list)
	require.Equal(t, "client:crm issue", words[0])
	require.Subset(t, words, []string{
		"cli issue", "cli redeem", "cli redeem consumed", "cli list", "cli get", "cli end", "cli revoke", "cli revoke_all",
	})
	last := list[len(list)-1]
	require.Equal(t, 1.0, last["count"], "the other link's session was ended before")
	require.Equal(t, "dev", last["tenant_id"])
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	for _, secret := range []string{"jane", "canary", "eyJ", token} {
		require.NotContains(t, string(text), secret)
	}
}

// A program moves the file away and sends SIGHUP: serve goes on in a new one.
func TestAuditIsOpenedAnew(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "audit.log")
	p := serve(t, folder, testClient, "-audit", path)
	token := p.token()
	require.Equal(t, http.StatusCreated, p.issue(token, acme).status)
	require.NoError(t, os.Rename(path, path+".1"))
	require.Equal(t, http.StatusCreated, p.issue(token, acme).status)
	require.Len(t, events(t, path+".1"), 2)
	p.Signal(syscall.SIGHUP)
	p.eventually(func() bool { return strings.Contains(p.errors(), "opened the audit log anew") }, "it has noticed")
	require.Equal(t, http.StatusCreated, p.issue(token, acme).status)
	require.Len(t, events(t, path), 1)
	require.Len(t, events(t, path+".1"), 2)

	behindLink(t, path)
	p.Signal(syscall.SIGHUP)
	p.eventually(func() bool { return strings.Contains(p.errors(), "the audit log goes on in the old file") }, "it is refused")
	require.Equal(t, http.StatusCreated, p.issue(token, acme).status)
	require.Len(t, events(t, path), 2, "the old file, behind the link")
	require.Zero(t, p.stop(syscall.SIGTERM))
}

func TestAuditFilesThatAreRefused(t *testing.T) {
	folder := installed(t)
	path := filepath.Join(folder, "audit.log")
	for name, spoil := range map[string]func(){
		"a link":              func() { behindLink(t, path) },
		"others can write it": func() { require.NoError(t, os.Chmod(path, 0o622)) },
		"of another user":     func() { chown(t, path, somebodyElse, -1) },
		"a pipe":              func() { require.NoError(t, os.Remove(path)); require.NoError(t, syscall.Mkfifo(path, 0o600)) },
		"a directory":         func() { require.NoError(t, os.Remove(path)); require.NoError(t, os.Mkdir(path, 0o700)) },
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, os.RemoveAll(path))
			require.NoError(t, os.WriteFile(path, nil, 0o600))
			spoil()
			for _, args := range [][]string{
				{"serve", "-addr", "127.0.0.1:0"},
				{"issue", "-external-business", "acme"},
				{"links", "list"},
				{"links", "revoke", "-email", "jane@example.com"},
				{"redeem", "eyJx"},
			} {
				requireFailure(t, command(t, folder, nil, append(args, "-audit", path)...), "open the audit log")
			}
		})
	}
	require.NoError(t, os.RemoveAll(path))
	require.Zero(t, command(t, folder, nil, "links", "list", "-audit", path).code, "the control")
	got := command(t, folder, nil, "links", "list", "-audit", "-")
	require.Contains(t, got.stderr, `"op":"list"`)
}

// A full disk loses lines of the audit log and nothing else. The line after them stands alone.
func TestAuditOnAFullDisk(t *testing.T) {
	disk, folder := mountTmpfs(t, "64k"), t.TempDir()
	path := filepath.Join(disk, "audit.log")
	p := serve(t, folder, testClient, "-audit", path)
	token := p.token()
	require.Equal(t, http.StatusCreated, p.issue(token, acme).status)
	ballast := fill(t, disk)
	for range 40 { // until the page that the file has is full
		require.Equal(t, http.StatusCreated, p.issue(token, acme).status)
	}
	p.eventually(func() bool { return strings.Contains(p.errors(), "a line of the audit log could not be written") }, "it is logged")
	require.NoError(t, os.Remove(ballast))
	require.Equal(t, http.StatusCreated, p.issue(token, acme).status)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	torn := 0
	for _, line := range lines {
		if !json.Valid([]byte(line)) {
			torn++
		}
	}
	require.LessOrEqual(t, torn, 1)
	require.True(t, json.Valid([]byte(lines[len(lines)-1])), "the line after the gap is whole")
}
