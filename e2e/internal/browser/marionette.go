package browser

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// marionette speaks to Firefox: each message is its length in bytes, a colon, and JSON. A command is [0, number, name,
// parameters], and its answer [1, number, error, value].
type marionette struct {
	wire   net.Conn
	reader *bufio.Reader
	last   int // the number of the last command
}

// greet connects, and takes Firefox's first message.
func greet(address string) (*marionette, error) {
	wire, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	m := &marionette{wire: wire, reader: bufio.NewReader(wire)}
	var hello struct {
		Protocol int `json:"marionetteProtocol"`
	}
	text, err := m.read()
	if err == nil {
		err = json.Unmarshal(text, &hello)
	}
	if err == nil && hello.Protocol != 3 {
		err = fmt.Errorf("version %d of Marionette is unknown", hello.Protocol)
	}
	if err != nil {
		return nil, errors.Join(err, wire.Close())
	}
	return m, nil
}

func (m *marionette) read() ([]byte, error) {
	if err := m.wire.SetReadDeadline(time.Now().Add(2 * patience)); err != nil {
		return nil, err
	}
	prefix, err := m.reader.ReadString(':')
	if err != nil {
		return nil, err
	}
	length, err := strconv.Atoi(strings.TrimSuffix(prefix, ":"))
	if err != nil {
		return nil, err
	}
	text := make([]byte, length)
	_, err = io.ReadFull(m.reader, text)
	return text, err
}

func (m *marionette) call(command string, parameters map[string]any) (json.RawMessage, error) {
	if parameters == nil {
		parameters = map[string]any{}
	}
	m.last++
	text, err := json.Marshal([]any{0, m.last, "WebDriver:" + command, parameters})
	if err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintf(m.wire, "%d:%s", len(text), text); err != nil {
		return nil, err
	}
	if text, err = m.read(); err != nil {
		return nil, err
	}
	var fault *failure
	var value json.RawMessage
	kind, number := 0, 0
	if err := json.Unmarshal(text, &[]any{&kind, &number, &fault, &value}); err != nil {
		return nil, err
	}
	if kind != 1 || number != m.last {
		return nil, fmt.Errorf("this is no answer to command %d: %s", m.last, text)
	}
	if fault != nil {
		return nil, fault
	}
	return unwrap(value), nil
}

// unwrap takes the value out of an object that has nothing else: most answers have that form.
func unwrap(value json.RawMessage) json.RawMessage {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(value, &members); err != nil || len(members) != 1 || members["value"] == nil {
		return value
	}
	return members["value"]
}
