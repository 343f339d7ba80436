package suite

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"syscall"
	"time"
)

// child is a server in a process of its own.
type child struct {
	cmd     *exec.Cmd
	address string
}

// saysPort is how the servers say where they listen: "port 1234", or an address.
var saysPort = regexp.MustCompile(`(?:^port |127\.0\.0\.1:)(\d+)`)

// start runs a server and waits until it says where it listens. Its log goes nowhere.
func start(ctx context.Context, dir string, environment []string, program string, args ...string) (*child, error) {
	cmd := exec.CommandContext(ctx, program, args...) //nolint:gosec // G204: our own programs
	cmd.Dir, cmd.Env = dir, append(os.Environ(), environment...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c := &child{cmd: cmd}
	lines := bufio.NewReader(stdout)
	for c.address == "" {
		line, err := lines.ReadString('\n')
		if err != nil {
			return nil, errors.Join(fmt.Errorf("%s said no port: %w", program, err), c.stop())
		}
		if port := saysPort.FindStringSubmatch(line); port != nil {
			c.address = "127.0.0.1:" + port[1]
		}
	}
	go func() { _, _ = io.Copy(io.Discard, lines) }() // ends with the process
	return c, nil
}

func (c *child) stop() error {
	_ = c.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	err := c.cmd.Wait()
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		return nil // a server without a handler of the signal
	}
	return err
}
