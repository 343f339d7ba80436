package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
)

// mentionTLS says that one end may speak TLS and the other not, where an error of the first look at a Redis server looks like that: a
// server without TLS waits in silence for the rest of what it takes for a command, and one with TLS closes the connection.
func mentionTLS(server string, err error) error {
	network, isNetwork := errors.AsType[net.Error](err)
	_, noTLS := errors.AsType[tls.RecordHeaderError](err)
	silent := errors.Is(err, context.DeadlineExceeded) || isNetwork && network.Timeout()
	closed := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || strings.Contains(err.Error(), "connection reset")
	switch encrypted := strings.HasPrefix(server, "rediss://"); {
	case encrypted && (silent || noTLS || closed):
		return fmt.Errorf("%w: rediss:// speaks TLS: if the port has none, write redis://", err)
	case !encrypted && closed:
		return fmt.Errorf("%w: redis:// speaks no TLS: if the port needs it, write rediss://", err)
	}
	return err
}
