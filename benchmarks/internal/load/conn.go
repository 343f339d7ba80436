package load

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
)

// Conn is one HTTP/1.1 connection that is kept alive. It costs as little as it can, so that what is measured is the server:
// requests are sent as they are, and of an answer it reads the status, the length and the body.
type Conn struct {
	conn   net.Conn
	reader *bufio.Reader
	body   []byte
}

// Dial opens n connections.
func Dial(address string, n int) ([]*Conn, error) {
	conns := make([]*Conn, 0, n)
	for range n {
		conn, err := net.Dial("tcp", address) //nolint:noctx // loopback
		if err != nil {
			Close(conns)
			return nil, err
		}
		conns = append(conns, &Conn{conn: conn, reader: bufio.NewReaderSize(conn, 16<<10)})
	}
	return conns, nil
}

// Close closes the connections.
func Close(conns []*Conn) {
	for _, c := range conns {
		_ = c.conn.Close() // nothing is under way
	}
}

// Do sends a request and returns status and body of the answer. The body is valid until the next call.
func (c *Conn) Do(request []byte) (status int, body []byte, err error) {
	if _, err := c.conn.Write(request); err != nil {
		return 0, nil, err
	}
	status, length, err := c.head()
	if err != nil {
		return 0, nil, err
	}
	c.body = c.body[:0]
	if length != chunked {
		err = c.take(length)
	} else {
		err = c.chunks()
	}
	return status, c.body, err
}

const chunked = -1

// head reads the status line and the fields and returns the length of the body.
func (c *Conn) head() (status, length int, err error) {
	line, err := c.line()
	if err != nil {
		return 0, 0, err
	}
	if len(line) < len("HTTP/1.1 200") {
		return 0, 0, errors.New("not a status line")
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, 0, err
	}
	for {
		line, err := c.line()
		if err != nil || len(line) == 0 {
			return status, length, err
		}
		name, value, _ := bytes.Cut(line, []byte(": "))
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(value)); err != nil {
				return 0, 0, err
			}
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			length = chunked
		}
	}
}

func (c *Conn) line() ([]byte, error) {
	line, err := c.reader.ReadSlice('\n')
	return bytes.TrimRight(line, "\r\n"), err
}

func (c *Conn) chunks() error {
	for {
		line, err := c.line()
		if err != nil {
			return err
		}
		size, err := strconv.ParseInt(string(line), 16, 32)
		if err != nil {
			return fmt.Errorf("the size of a chunk: %w", err)
		}
		if err := c.take(int(size)); err != nil {
			return err
		}
		if _, err := c.line(); err != nil || size == 0 {
			return err
		}
	}
}

func (c *Conn) take(n int) error {
	start := len(c.body)
	c.body = slices.Grow(c.body, n)[:start+n]
	_, err := io.ReadFull(c.reader, c.body[start:])
	return err
}
