package container_test

import (
	"debug/elf"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/magiclink-go/magiclink/internal/dbtest"
)

const patience = 30 * time.Second

func TestMain(m *testing.M) { os.Exit(dbtest.Main(m)) }

// build runs the steps of the first stage, which put the files into /out, and lays the image out in a directory.
func build(t *testing.T) (root string) {
	t.Helper()
	if os.Getuid() != 0 {
		require.NotEqual(t, "true", os.Getenv("CI"), "only root can change the root directory of a process")
		t.Skip("only root can change the root directory of a process")
	}
	out, both := t.TempDir(), stages(t)
	for _, step := range both[0].all("RUN") {
		shell := exec.Command("sh", "-c", strings.ReplaceAll(step, "/out", out))
		shell.Dir = repository
		text, err := shell.CombinedOutput()
		require.NoError(t, err, "%s\n%s", step, text)
	}
	root = filepath.Join(out, "image")
	for _, each := range both[1].all("COPY") {
		copyInto(t, root, out, strings.Fields(each))
	}
	return root
}

// copyInto carries out one COPY --from=build.
func copyInto(t *testing.T, root, out string, words []string) {
	t.Helper()
	require.Equal(t, "--from=build", words[0])
	words = words[1:]
	chown, isOwned := strings.CutPrefix(words[0], "--chown=")
	if isOwned {
		words = words[1:]
	}
	require.Len(t, words, 2)
	from, to := strings.Replace(words[0], "/out", out, 1), filepath.Join(root, words[1])
	require.NoError(t, os.MkdirAll(filepath.Dir(to), 0o755))
	text, err := exec.Command("cp", "-rp", from, to).CombinedOutput()
	require.NoError(t, err, string(text))
	if isOwned {
		text, err := exec.Command("chown", "-R", chown, to).CombinedOutput()
		require.NoError(t, err, string(text))
	}
}

// compose is what is read of docker-compose.yml.
type compose struct {
	Services map[string]struct {
		Image       string
		Build       string
		Command     []string
		Environment map[string]string
		Ports       []string
		Volumes     []string
		DependsOn   map[string]struct{ Condition string } `yaml:"depends_on"`
		ReadOnly    bool                                  `yaml:"read_only"`
	}
	Volumes map[string]any
}

func readCompose(t *testing.T) (c compose) {
	t.Helper()
	text, err := os.ReadFile(repository + "/docker-compose.yml")
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(text, &c))
	return c
}

var defaulted = regexp.MustCompile(`\$\{\w+:-([^}]*)\}`)

// environment is that of a service, with the defaults of its variables. PostgreSQL is the one of the test.
func (c compose) environment(service, database string) (env []string) {
	for name, value := range c.Services[service].Environment {
		value = defaulted.ReplaceAllString(value, "$1")
		if value == "postgres://magiclink@postgres/magiclink" {
			value = database
		}
		env = append(env, name+"="+value)
	}
	return env
}

func TestComposeWaitsForWhatItNeeds(t *testing.T) {
	c := readCompose(t)
	require.Equal(t, "service_healthy", c.Services["migrate"].DependsOn["postgres"].Condition)
	require.Equal(t, []string{"migrate"}, c.Services["migrate"].Command)
	service := c.Services["magiclink"]
	require.Equal(t, "service_completed_successfully", service.DependsOn["migrate"].Condition)
	require.True(t, service.ReadOnly)
	require.Equal(t, []string{"127.0.0.1:8080:8080"}, service.Ports)
	for _, each := range c.Services {
		for _, volume := range each.Volumes {
			name, _, _ := strings.Cut(volume, ":")
			require.Contains(t, c.Volumes, name)
		}
	}
}

// container is a command that runs as the image would run it.
func container(t *testing.T, root string, env []string, args ...string) *exec.Cmd {
	t.Helper()
	image := stages(t)[1]
	cmd := exec.Command("/magiclink", args...)
	cmd.Dir = "/"
	for _, each := range image.all("ENV") {
		env = append(env, strings.Fields(each)...)
	}
	cmd.Env = env
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: 65532, Gid: 65532}, Pdeathsig: syscall.SIGKILL}
	return cmd
}

func TestImageRuns(t *testing.T) {
	root, c := build(t), readCompose(t)
	program, err := elf.Open(filepath.Join(root, "magiclink"))
	require.NoError(t, err)
	for _, segment := range program.Progs {
		require.NotEqual(t, elf.PT_INTERP, segment.Type, "the program is static")
	}
	require.NoError(t, program.Close())

	for name, env := range map[string][]string{
		"compose": c.environment("magiclink", dbtest.PostgresDatabase(t)),
		"sqlite":  {"MAGICLINK_BASE_URL=http://127.0.0.1:8080/magic"},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "compose" {
				text, err := container(t, root, env, "migrate").CombinedOutput()
				require.NoError(t, err, string(text))
			}
			serves(t, container(t, root, env, "serve", "-addr", "0.0.0.0:0"))
			require.NoError(t, os.RemoveAll(filepath.Join(root, "data")))
			require.NoError(t, os.Mkdir(filepath.Join(root, "data"), 0o700))
			require.NoError(t, os.Chown(filepath.Join(root, "data"), 65532, 65532))
		})
	}
}

// serves pastes the lines that serve prints.
func serves(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	stdout, err := os.CreateTemp(t.TempDir(), "stdout")
	require.NoError(t, err)
	defer stdout.Close()
	cmd.Stdout, cmd.Stderr = stdout, stdout
	require.NoError(t, cmd.Start())
	printed := func() string {
		text, err := os.ReadFile(stdout.Name())
		require.NoError(t, err)
		return string(text)
	}
	origin := regexp.MustCompile(`Serving on (http://127\.0\.0\.1:\d+);`)
	require.Eventually(t, func() bool { return origin.MatchString(printed()) }, patience, 10*time.Millisecond, "it listens, and says where")
	ready, err := http.Get(origin.FindStringSubmatch(printed())[1] + "/readyz")
	require.NoError(t, err)
	_, _ = io.Copy(io.Discard, ready.Body)
	require.NoError(t, ready.Body.Close())
	require.Equal(t, http.StatusOK, ready.StatusCode)

	lines := regexp.MustCompile(`(?m)^(TOKEN=|curl ).*$`).FindAllString(printed(), -1)
	require.Len(t, lines, 2)
	got, err := exec.Command("sh", "-c", strings.Join(lines, "\n")).CombinedOutput()
	require.NoError(t, err, string(got))
	require.Contains(t, string(got), `"magic_link":"http://127.0.0.1:8080/magic/reports?token=`)

	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(t, cmd.Wait(), printed())
}
