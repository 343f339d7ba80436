package smtp_test

import (
	"bufio"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// Answers that are none.
const (
	hang = "(hang)" // says nothing until the server is released
	drop = "(drop)" // closes the connection
)

// scripted is an SMTP server with a script.
type scripted struct {
	listener net.Listener
	script   func(command string, times int) string // the answer to a command that has come so often; empty: the usual one
	released chan struct{}
	release  func()

	mu    sync.Mutex
	times map[string]int // how often each command has come, by its verb
	mails []string
}

// startScripted starts a server. Its commands are "greeting", the verbs of SMTP, and "." for the end of a mail.
func startScripted(t *testing.T, script func(command string, times int) string) *scripted {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &scripted{listener: listener, script: script, released: make(chan struct{}), times: map[string]int{}}
	s.release = sync.OnceFunc(func() { close(s.released) })
	var group sync.WaitGroup
	group.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go s.serve(conn)
		}
	})
	t.Cleanup(func() {
		s.release()
		_ = listener.Close()
		group.Wait()
	})
	return s
}

func (s *scripted) url() string { return "smtp://" + s.listener.Addr().String() }

func (s *scripted) serve(conn net.Conn) {
	defer conn.Close()
	lines := bufio.NewReader(conn)
	for command := "greeting"; ; {
		answer := s.answer(conn, command)
		switch {
		case answer == "":
			return
		case command == "DATA" && strings.HasPrefix(answer, "354"):
			if command = "."; !s.take(lines) {
				return
			}
			continue
		}
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		command, _, _ = strings.Cut(strings.TrimSpace(line), " ")
	}
}

// take reads a mail.
func (s *scripted) take(lines *bufio.Reader) bool {
	var mail strings.Builder
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return false
		}
		if line == ".\r\n" {
			break
		}
		mail.WriteString(line)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mails = append(s.mails, mail.String())
	return true
}

// answer answers a command, and returns the answer, or "" when the dialogue is over.
func (s *scripted) answer(conn net.Conn, command string) string {
	s.mu.Lock()
	s.times[command]++
	text := s.script(command, s.times[command])
	s.mu.Unlock()
	switch text {
	case drop:
		return ""
	case hang:
		<-s.released
		text = ""
	}
	if text == "" {
		text = map[string]string{
			"greeting": "220 mx.example.test ESMTP", "EHLO": "250 mx.example.test", "DATA": "354 go on", "QUIT": "221 bye",
		}[command]
	}
	if text == "" {
		text = "250 ok"
	}
	if _, err := conn.Write([]byte(text + "\r\n")); err != nil || command == "QUIT" {
		return ""
	}
	return text
}

// came is how often a command has come.
func (s *scripted) came(command string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.times[command]
}

func (s *scripted) received() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.mails...)
}
