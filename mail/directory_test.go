package mail_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/mail"
	"github.com/magiclink-go/magiclink/signin"
)

func newDirectory(t *testing.T, now func() time.Time) (directory *mail.Directory, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "data", "mail")
	directory, err := mail.NewDirectory(mail.DirectoryConfig{Path: path, From: from, Now: now})
	require.NoError(t, err)
	return directory, path
}

func TestDirectory(t *testing.T) {
	at := time.Date(2030, 1, 15, 10, 30, 0, 5, time.FixedZone("", 3600))
	directory, path := newDirectory(t, func() time.Time { return at })
	for _, kind := range kinds {
		require.NoError(t, directory.Send(t.Context(), mail.Sample(kind, "ja")))
	}
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())

	entries, err := os.ReadDir(path) // sorted by name
	require.NoError(t, err)
	require.Len(t, entries, len(kinds), "and no temporary files")
	for i, entry := range entries {
		require.Regexp(t, `^20300115T093000\.00000000[567]Z-[0-9a-f]{8}\.eml$`, entry.Name())
		info, err := entry.Info()
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
		content, err := os.ReadFile(filepath.Join(path, entry.Name()))
		require.NoError(t, err)
		require.NoError(t, intact(content, "jane@example.com"))
		rendered := render(t, mail.Sample(kinds[i], "ja"))
		got := mustParse(t, content)
		require.Equal(t, rendered.Subject, got.subject(t))
		require.Equal(t, rendered.Text, got.parts[0].text)
		require.Equal(t, rendered.HTML, got.parts[1].text)
		require.Equal(t, "auto-generated", got.Get("Auto-Submitted"))
		require.Equal(t, "ja", got.Get("Content-Language"))
		date, err := got.Date()
		require.NoError(t, err)
		require.True(t, date.Equal(at.Truncate(time.Second)))
		require.Contains(t, got.Get("Message-Id"), "@acme.example>")
	}
}

// A developer copies the link and reads the code with a plain text viewer.
func TestDirectoryIsReadable(t *testing.T) {
	path, written := t.TempDir(), []string{}
	directory, err := mail.NewDirectory(mail.DirectoryConfig{
		Path: path, From: from, Written: func(path string) { written = append(written, path) },
	})
	require.NoError(t, err)
	m := mail.Sample(signin.KindSignIn, "hi")
	m.Link += strings.Repeat("x", 600)
	require.NoError(t, directory.Send(t.Context(), m))
	require.Len(t, written, 1)
	require.Equal(t, path, filepath.Dir(written[0]))
	content, err := os.ReadFile(written[0])
	require.NoError(t, err)
	lines := strings.Split(string(content), "\r\n")
	require.Contains(t, lines, m.Link)
	require.Contains(t, lines, m.Code)
	require.NotContains(t, strings.Join(lines, ""), "\n")
}

// A mail is small, in every language, with a link of a usual length.
func TestMailsAreSmall(t *testing.T) {
	directory, path := newDirectory(t, nil)
	eachMail(t, func(t *testing.T, m signin.Message, _ mail.Rendered) {
		if m.Link != "" {
			m.Link += strings.Repeat("x", 600)
		}
		require.NoError(t, directory.Send(t.Context(), m))
	})
	entries, err := os.ReadDir(path)
	require.NoError(t, err)
	largest := 0
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(path, entry.Name()))
		require.NoError(t, err)
		largest = max(largest, len(content))
	}
	t.Logf("the largest of %d mails has %d bytes", len(entries), largest)
	require.Less(t, largest, 20_000)
}

func TestDirectoryAtOnce(t *testing.T) {
	directory, path := newDirectory(t, func() time.Time { return time.Time{} })
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			if err := directory.Send(t.Context(), sample); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	entries, err := os.ReadDir(path)
	require.NoError(t, err)
	require.Len(t, entries, 20)
}

func TestDirectoryRefuses(t *testing.T) {
	directory, path := newDirectory(t, nil)
	bad := sample
	bad.To = "x"
	require.ErrorIs(t, directory.Send(t.Context(), bad), signin.ErrPermanent)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, directory.Send(ctx, sample), context.Canceled)
	require.NoError(t, os.RemoveAll(path))
	err := directory.Send(t.Context(), sample)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NotErrorIs(t, err, signin.ErrPermanent)
	requireSafe(t, err)
}

func TestDirectoryConfig(t *testing.T) {
	_, err := mail.NewDirectory(mail.DirectoryConfig{})
	require.Equal(t, []string{"From", "Path"}, faultsOf(t, err))

	open := filepath.Join(t.TempDir(), "open")
	require.NoError(t, os.Mkdir(open, 0o700))
	require.NoError(t, os.Chmod(open, 0o777))
	_, err = mail.NewDirectory(mail.DirectoryConfig{Path: open, From: from})
	require.Equal(t, []string{"Path"}, faultsOf(t, err))
	require.ErrorContains(t, err, "chmod")

	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err = mail.NewDirectory(mail.DirectoryConfig{Path: file, From: from})
	require.Equal(t, []string{"Path"}, faultsOf(t, err))

	require.NoError(t, os.Chmod(open, 0o755)) // the control
	_, err = mail.NewDirectory(mail.DirectoryConfig{Path: open, From: from})
	require.NoError(t, err)
}

// A directory that takes no file is a fault of the configuration, not one of each mail.
func TestDirectoryThatTakesNoFile(t *testing.T) {
	_, err := mail.NewDirectory(mail.DirectoryConfig{Path: "/sys", From: from}) // of root, who cannot make a file in it either
	require.ErrorContains(t, err, "Path cannot be written to: /sys: ")
	require.ErrorContains(t, err, "let the user of this process write there, or name another directory")
	_, err = mail.NewDirectory(mail.DirectoryConfig{Path: "/sys/x", From: from})
	require.ErrorContains(t, err, "Path cannot be made: mkdir /sys/x")

	path := t.TempDir()
	_, err = mail.NewDirectory(mail.DirectoryConfig{Path: path, From: from})
	require.NoError(t, err)
	left, err := os.ReadDir(path)
	require.NoError(t, err)
	require.Empty(t, left, "what was tried is removed")
}
