package e2e_test

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/e2e/internal/browser"
)

// exampleApp is the program examples/app, which a team starts from, with its data in a new directory.
type exampleApp struct {
	origin string
	mails  string
}

// startExampleApp builds the program and runs it until the test ends.
func startExampleApp(t *testing.T) exampleApp {
	t.Helper()
	folder := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(folder, "app"), "./app")
	build.Dir = "../examples"
	text, err := build.CombinedOutput()
	require.NoError(t, err, string(text))
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := free.Addr().String()
	require.NoError(t, free.Close())

	a := exampleApp{origin: "http://" + address, mails: filepath.Join(folder, "data", "mail")}
	run := exec.Command(filepath.Join(folder, "app"), "-data", filepath.Join(folder, "data"), "-listen", address, "-origin", a.origin)
	run.Env = append(os.Environ(), "DATABASE_URL=", "SMTP_URL=")
	run.Stderr = os.Stderr
	require.NoError(t, run.Start())
	t.Cleanup(func() {
		require.NoError(t, run.Process.Signal(syscall.SIGTERM))
		require.NoError(t, run.Wait())
	})
	require.Eventually(t, func() bool {
		response, err := http.Get(a.origin + "/healthz")
		return err == nil && response.Body.Close() == nil && response.StatusCode == http.StatusOK
	}, 30*time.Second, 20*time.Millisecond)
	return a
}

// newest waits until there are n mails to the address, and returns the last one.
func (a exampleApp) newest(t *testing.T, address string, n int) (found letter) {
	t.Helper()
	require.Eventually(t, func() bool {
		files, _ := filepath.Glob(filepath.Join(a.mails, "*.eml")) // their names sort by the time
		have := 0
		for _, file := range files {
			content, err := os.ReadFile(file)
			require.NoError(t, err)
			if each := readLetter(t, content); each.Get("To") == "<"+address+">" {
				found = each
				have++
			}
		}
		return have == n
	}, 30*time.Second, 20*time.Millisecond, "mail %d to %s", n, address)
	return found
}

// TestExampleApp signs up, invites somebody, looks at the devices, and signs out everywhere in the application that a team starts from.
func TestExampleApp(t *testing.T) {
	a := startExampleApp(t)
	inEach(t, func(t *testing.T, b *browser.Browser) {
		jane, guest := "jane."+string(b.Engine)+"@example.com", "guest."+string(b.Engine)+"@elsewhere.example"
		b.Visit(a.origin + "/")
		askForMail(b, jane)
		b.Visit(a.newest(t, jane, 1).link)
		b.Click("button")
		b.Arrive(a.origin + "/")
		b.Shows(jane)

		b.Fill("input[name=email]", guest)
		b.Click("form[action='/invitations'] button")
		b.Shows("An invitation is on its way to " + guest)
		b.Visit(a.origin + "/sessions")
		b.Shows("Where you are signed in")
		b.Click("button[value=everywhere]")
		b.Arrive(a.origin + "/sign-in?next=%2F")

		b.Visit(a.newest(t, guest, 1).link)
		b.Click("button")
		b.Arrive(a.origin + "/")
		b.Shows(guest)
	})
}
