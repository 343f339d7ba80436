package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

const somebodyElse = 12345 // a user who does not run the tests

// behindLink moves a file away and puts a symbolic link to it in its place.
func behindLink(t *testing.T, path string) {
	t.Helper()
	moved := filepath.Join(t.TempDir(), "moved")
	require.NoError(t, os.Rename(path, moved))
	require.NoError(t, os.Symlink(moved, path))
}

// chown needs root: without it the test is skipped, except in CI.
func chown(t *testing.T, path string, user, group int) {
	t.Helper()
	err := os.Chown(path, user, group)
	if err != nil && os.Getenv("CI") == "" {
		t.Skipf("chown: %v", err)
	}
	require.NoError(t, err)
}

// What others could have written is not used.
func TestFilesOfOthersAreRefused(t *testing.T) {
	for _, name := range []string{"", "keys.json", "config.json", "magiclink.db", ".lock"} {
		for change, spoil := range map[string]func(*testing.T, string){
			"link":  behindLink,
			"owner": func(t *testing.T, path string) { chown(t, path, somebodyElse, -1) },
			"mode": func(t *testing.T, path string) {
				info, err := os.Stat(path)
				require.NoError(t, err)
				require.NoError(t, os.Chmod(path, info.Mode().Perm()|0o022))
			},
			"kind": func(t *testing.T, path string) {
				if name == "" {
					t.Skip("it is a directory")
				}
				require.NoError(t, os.Remove(path))
				require.NoError(t, syscall.Mkfifo(path, 0o600))
			},
		} {
			t.Run(change+" of "+name, func(t *testing.T) {
				folder := installed(t)
				path := dataFile(folder, name)
				spoil(t, path)
				says := filepath.Base(path)
				if change == "kind" {
					says += " is not a regular file"
				}
				requireFailure(t, command(t, folder, nil, "serve", "-addr", "127.0.0.1:0"), says)
				for file, args := range map[string][]string{
					"keys.json": {"keys", "list"}, "config.json": {"clients", "list"}, "magiclink.db": {"purge"},
					".lock": {"clients", "add", "x"},
				} {
					if name == file || name == "" {
						requireFailure(t, command(t, folder, nil, args...), says)
					}
				}
			})
		}
	}
}

// SQLite reads the files beside a database before it reads the database: a journal of somebody else would be rolled back into
// it. So such a file is refused wherever it comes from.
func TestFilesBesideTheDatabaseAreRefused(t *testing.T) {
	for _, suffix := range []string{"-journal", "-wal", "-shm"} {
		for change, put := range map[string]func(*testing.T, string){
			"link": func(t *testing.T, path string) {
				require.NoError(t, os.Symlink(filepath.Join(t.TempDir(), "elsewhere"), path))
			},
			"owner": func(t *testing.T, path string) {
				require.NoError(t, os.WriteFile(path, nil, 0o600))
				chown(t, path, somebodyElse, -1)
			},
			"mode": func(t *testing.T, path string) {
				require.NoError(t, os.WriteFile(path, nil, 0o600))
				require.NoError(t, os.Chmod(path, 0o666))
			},
			"kind": func(t *testing.T, path string) { require.NoError(t, syscall.Mkfifo(path, 0o600)) },
		} {
			t.Run(change+" of "+suffix, func(t *testing.T) {
				folder := installed(t)
				path := dataFile(folder, "magiclink.db") + suffix
				require.NoFileExists(t, path)
				put(t, path)
				for _, args := range [][]string{{"serve", "-addr", "127.0.0.1:0"}, {"purge"}, {"issue", "-external-business", "acme"}} {
					requireFailure(t, command(t, folder, nil, args...), "magiclink.db"+suffix)
				}
				require.NoError(t, os.Remove(path))
				require.Zero(t, command(t, folder, nil, "purge").code, "the control")
			})
		}
	}
}

// A slash at the end of a path makes the system follow a link.
func TestDataDirectoryBehindALink(t *testing.T) {
	folder := installed(t)
	require.NoError(t, os.Symlink("magiclink-data", filepath.Join(folder, "link")))
	for _, data := range []string{"link", "link/", "link//", "link/.", "./link/"} {
		for _, args := range [][]string{{"serve", "-addr", "127.0.0.1:0"}, {"keys", "list"}, {"clients", "list"}, {"purge"}} {
			requireFailure(t, command(t, folder, nil, append(args, "-data", data)...), "is a symbolic link")
		}
	}
	require.Zero(t, command(t, folder, nil, "keys", "list", "-data", "magiclink-data/").code, "the control")
}

func TestFilesThatAreAccepted(t *testing.T) {
	for name, prepare := range map[string]func(t *testing.T, folder string){
		"as they were made": func(*testing.T, string) {},
		"a mounted secret": func(t *testing.T, folder string) {
			chown(t, dataFile(folder, "keys.json"), 0, somebodyElse)
			require.NoError(t, os.Chmod(dataFile(folder, "keys.json"), 0o440))
		},
		"a readable configuration": func(t *testing.T, folder string) {
			require.NoError(t, os.Chmod(dataFile(folder, "config.json"), 0o644))
		},
		"a directory of a volume": func(t *testing.T, folder string) {
			require.NoError(t, os.Chmod(dataFile(folder, ""), 0o770))
		},
	} {
		t.Run(name, func(t *testing.T) {
			folder := installed(t)
			prepare(t, folder)
			require.Zero(t, serve(t, folder, nil).stop(syscall.SIGTERM))
		})
	}
}

// A file that an earlier start made and that is gone is reported, and not made anew.
func TestLostFiles(t *testing.T) {
	for name, tt := range map[string]struct {
		commands [][]string
		says     string
	}{
		"keys.json":   {[][]string{{"keys", "list"}, {"keys", "prepare"}, {"issue", "-external-business", "acme"}}, `"magiclink keys rotate -force"`},
		"config.json": {[][]string{{"clients", "list"}, {"clients", "add", "x"}, {"issue", "-external-business", "acme"}}, "write {} into it"},
	} {
		t.Run(name, func(t *testing.T) {
			folder := installed(t)
			require.NoError(t, os.Remove(dataFile(folder, name)))
			for _, args := range append(tt.commands, []string{"serve", "-addr", "127.0.0.1:0"}, []string{"serve", "-addr", "127.0.0.1:0", "-store", "memory"}) {
				got := command(t, folder, nil, args...)
				requireFailure(t, got, "restore it from a backup")
				require.Contains(t, got.stderr, tt.says)
				require.NoFileExists(t, dataFile(folder, name))
			}
		})
	}
}

// What the messages about lost files say works.
func TestBeginAnewAfterALoss(t *testing.T) {
	folder := installed(t)
	require.NoError(t, os.Remove(dataFile(folder, "keys.json")))
	made := changeKeys(t, folder, "rotate", "-force")
	require.Equal(t, made, signingKey(t, folder))

	require.NoError(t, os.WriteFile(dataFile(folder, "config.json"), []byte("{}"), 0o600))
	require.Zero(t, command(t, folder, nil, "businesses", "add", "acme", "-tenant", "t1").code)
	require.Zero(t, command(t, folder, nil, "clients", "add", "crm").code)
	require.Zero(t, serve(t, folder, nil).stop(syscall.SIGTERM))
}

// A first start that could not finish is finished by the next one.
func TestFirstStartIsFinishedLater(t *testing.T) {
	folder := t.TempDir()
	got := command(t, folder, nil, "serve", "-addr", "127.0.0.1:0", "-base-url", "https://app.example.com/session")
	require.Equal(t, 2, got.code, got.stderr)
	require.NoFileExists(t, dataFile(folder, "config.json"), "its secret was not shown")
	p := serve(t, folder, nil)
	require.Contains(t, p.output(), "client_secret=")
	require.Zero(t, p.stop(syscall.SIGTERM))
	require.NoFileExists(t, dataFile(folder, ".first-start"))
}

func TestSecretsOfTheEnvironment(t *testing.T) {
	with := func(id, secret string) []string {
		return []string{"MAGICLINK_CLIENT_ID=" + id, "MAGICLINK_CLIENT_SECRET=" + secret}
	}
	for name, secret := range map[string]string{
		"short": "hunter2", "21 characters": "aB3dE6gH9jK2mN5pQ8sT1", "one character": strings.Repeat("a", 64),
		"a word four times": strings.Repeat("changeme", 4), "31 hexadecimal digits": "0123456789abcdef0123456789abcde",
		"38 digits": "01234567890123456789012345678901234567",
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			got := command(t, folder, with("crm", secret), "serve", "-addr", "127.0.0.1:0")
			requireFailure(t, got, "at least 128 random bits")
			require.NotContains(t, got.stderr, secret)
			require.NoFileExists(t, dataFile(folder, "config.json"))
		})
	}
	for name, secret := range map[string]string{
		"22 characters": "aB3dE6gH9jK2mN5pQ8sT1v", "32 hexadecimal digits": "0123456789abcdef0123456789abcdef", "words": testSecret,
	} {
		t.Run(name, func(t *testing.T) {
			require.Zero(t, serve(t, t.TempDir(), with("crm", secret)).stop(syscall.SIGTERM))
		})
	}

	folder := installed(t)
	require.Zero(t, serve(t, folder, testClient).stop(syscall.SIGTERM), "the same secret")
	other := command(t, folder, with("crm", "another-horse-battery-staple"), "serve", "-addr", "127.0.0.1:0")
	requireFailure(t, other, `is not the secret of the client "crm"`)
	requireFailure(t, command(t, folder, with("new", testSecret), "serve", "-addr", "127.0.0.1:0"), `names the client "new"`)
}
