package browser

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// run starts a program with a home folder of its own. The program and all that it starts are killed when the test ends.
func run(tb testing.TB, home string, env []string, path string, args ...string) *exec.Cmd {
	tb.Helper()
	program := exec.Command(path, args...) //nolint:gosec // G204: one of the programs in parts
	program.Dir = home
	program.Env = append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+home, "XDG_CACHE_HOME="+home, "XDG_DATA_HOME="+home, "XDG_RUNTIME_DIR="+home)
	program.Env = append(program.Env, env...)
	program.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return program
}

func begin(tb testing.TB, program *exec.Cmd) {
	tb.Helper()
	if err := program.Start(); err != nil {
		tb.Fatalf("start %s: %v", program.Path, err)
	}
	tb.Cleanup(func() {
		_ = syscall.Kill(-program.Process.Pid, syscall.SIGKILL)
		_ = program.Wait()
	})
}

// newHome makes a folder for a browser. What cannot be removed, because a child of the browser writes to it still, stays.
func newHome(tb testing.TB) string {
	tb.Helper()
	home, err := os.MkdirTemp("", "magiclink-browser-")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = os.RemoveAll(home) })
	return home
}

// until waits for something that a program does soon after its start.
func until(tb testing.TB, what string, done func() bool) {
	tb.Helper()
	for deadline := time.Now().Add(patience); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			tb.Fatalf("this never came true: %s", what)
		}
	}
}

var driverPort = regexp.MustCompile(`started successfully on port (\d+)`)

// startChromium tries more than once: chromedriver takes a free port for IPv4, and ends if another program has the same one for IPv6.
func startChromium(tb testing.TB, _ Options) transport {
	tb.Helper()
	says := new(strings.Builder)
	for range 5 {
		if port := startChromedriver(tb, says); port != "" {
			return &classic{server: "http://127.0.0.1:" + port}
		}
	}
	tb.Fatalf("chromedriver does not listen: %s", says)
	return nil
}

func startChromedriver(tb testing.TB, says *strings.Builder) (port string) {
	tb.Helper()
	server := run(tb, newHome(tb), nil, chromedriver.path(), "--port=0")
	stdout, err := server.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	begin(tb, server)
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if found := driverPort.FindStringSubmatch(lines.Text()); found != nil {
			go func() { _, _ = io.Copy(io.Discard, stdout) }()
			return found[1]
		}
		fmt.Fprintln(says, lines.Text())
	}
	return ""
}

// chromiumOptions also keep the browser from speaking to anybody but the tests.
func chromiumOptions(_ testing.TB, options Options) map[string]any {
	args := []string{
		"--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-domain-reliability", "--disable-sync",
		"--disable-client-side-phishing-detection", "--no-default-browser-check", "--no-pings", "--disable-extensions",
		"--disable-features=OptimizationHints,MediaRouter,Translate,AutofillServerCommunication,CertificateTransparencyComponentUpdater",
	}
	if options.Dark {
		args = append(args, "--blink-settings=preferredColorScheme=0")
	}
	return map[string]any{"goog:chromeOptions": map[string]any{"binary": chromium.path(), "args": args}}
}

func startWebKit(tb testing.TB, options Options) transport {
	tb.Helper()
	home := newHome(tb)
	env := []string{"DISPLAY=" + startScreen(tb, home)}
	if options.Dark {
		env = append(env, "GTK_THEME=Adwaita:dark")
	}
	port := freePort(tb)
	begin(tb, run(tb, home, env, webKitWebDriver.path(), "--port="+port))
	address := "127.0.0.1:" + port
	until(tb, "WebKitWebDriver listens", func() bool {
		wire, err := net.Dial("tcp", address)
		if err != nil {
			return false
		}
		return wire.Close() == nil
	})
	return &classic{server: "http://" + address}
}

func webKitOptions(testing.TB, Options) map[string]any {
	return map[string]any{"webkitgtk:browserOptions": map[string]any{
		"binary": miniBrowser.path(), "args": []string{"--automation"},
	}}
}

// freePort returns one that nobody listens on just now: WebKitWebDriver cannot choose one by itself.
func freePort(tb testing.TB) string {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
}

// startScreen starts a screen that nobody sees, for an engine that cannot do without, and returns its name.
func startScreen(tb testing.TB, home string) (display string) {
	tb.Helper()
	reader, writer, err := os.Pipe()
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = reader.Close() }()
	screen := run(tb, home, nil, xvfb.path(), "-displayfd", "3", "-screen", "0", "1280x1024x24", "-nolisten", "tcp")
	screen.ExtraFiles = []*os.File{writer}
	begin(tb, screen)
	_ = writer.Close() // the screen has its own copy
	number, err := bufio.NewReader(reader).ReadString('\n')
	if err != nil {
		tb.Fatalf("Xvfb does not start: %v", err)
	}
	return ":" + strings.TrimSpace(number)
}

// firefoxPreferences let Firefox choose a port, and keep it from speaking to anybody but the tests. Marionette sets more.
var firefoxPreferences = map[string]any{
	"marionette.port":                            0,
	"app.normandy.enabled":                       false,
	"app.update.auto":                            false,
	"browser.safebrowsing.malware.enabled":       false,
	"browser.safebrowsing.phishing.enabled":      false,
	"browser.shell.checkDefaultBrowser":          false,
	"browser.startup.page":                       0,
	"datareporting.policy.dataSubmissionEnabled": false,
	"network.captive-portal-service.enabled":     false,
	"network.connectivity-service.enabled":       false,
	"network.prefetch-next":                      false,
	"services.settings.server":                   "data:,#remote-settings-dummy/v1",
	"toolkit.telemetry.server":                   "data:,",
	"extensions.update.enabled":                  false,
	"fission.webContentIsolationStrategy":        0, // no process for each site
	"dom.ipc.processCount":                       1,
	"dom.ipc.processPrelaunch.enabled":           false,
}

func startFirefox(tb testing.TB, options Options) transport {
	tb.Helper()
	home := newHome(tb)
	preferences := new(strings.Builder)
	for name, value := range firefoxPreferences {
		fmt.Fprintf(preferences, "user_pref(%q, %#v);\n", name, value)
	}
	if options.Dark {
		fmt.Fprintln(preferences, `user_pref("ui.systemUsesDarkTheme", 1);`)
	}
	if err := os.WriteFile(filepath.Join(home, "user.js"), []byte(preferences.String()), 0o600); err != nil {
		tb.Fatal(err)
	}
	begin(tb, run(tb, home, []string{"MOZ_HEADLESS=1", "MOZ_CRASHREPORTER_DISABLE=1"},
		firefox.path(), "--headless", "--marionette", "--no-remote", "--profile", home))
	var port []byte
	until(tb, "Firefox listens", func() (there bool) {
		port, _ = os.ReadFile(filepath.Join(home, "MarionetteActivePort")) //nolint:gosec // G304: a folder of ours
		return len(port) > 0
	})
	m, err := greet("127.0.0.1:" + string(port))
	if err != nil {
		tb.Fatalf("firefox: %v", err)
	}
	tb.Cleanup(func() { _ = m.wire.Close() })
	return m
}
