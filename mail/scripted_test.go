package mail_test

import (
	"bufio"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Answers that are none.
const (
	silent = "(silent)" // says nothing more, and keeps the connection
	drop   = "(drop)"   // closes the connection
)

// scripted is an SMTP server that misbehaves on demand.
type scripted struct {
	listener net.Listener
	answer   func(connection int, command string) string // the answer to a command; empty: the usual one. The command "." ends a mail

	mu          sync.Mutex
	connections int
	commands    []string
	mails       []string
	done        chan struct{}
}

// startScripted starts a server. The commands are "greeting", those of SMTP in capital letters with their arguments, and "." for the end of
// a mail.
func startScripted(t *testing.T, answer func(connection int, command string) string) *scripted {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &scripted{listener: listener, answer: answer, done: make(chan struct{})}
	var group sync.WaitGroup
	group.Go(func() { s.accept(&group) })
	t.Cleanup(func() {
		close(s.done)
		listener.Close()
		group.Wait()
	})
	return s
}

// obedient answers as servers do.
func obedient(int, string) string { return "" }

// refusing answers a command that begins with prefix in another way.
func refusing(prefix, answer string) func(int, string) string {
	return func(_ int, command string) string {
		if strings.HasPrefix(command, prefix) {
			return answer
		}
		return ""
	}
}

func (s *scripted) url() string { return "smtp://" + s.listener.Addr().String() }

func (s *scripted) accept(group *sync.WaitGroup) {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.connections++
		number := s.connections
		s.mu.Unlock()
		group.Go(func() { s.serve(conn, number) })
	}
}

func (s *scripted) serve(conn net.Conn, number int) {
	defer conn.Close()
	stop := make(chan struct{})
	defer close(stop)
	go func() { // at the end of the test
		select {
		case <-s.done:
			conn.Close()
		case <-stop:
		}
	}()
	reader := bufio.NewReader(conn)
	if !s.reply(conn, number, "greeting") {
		return
	}
	for {
		line, err := reader.ReadString('\n')
		if err != nil {
			return
		}
		if !s.reply(conn, number, strings.TrimRight(line, "\r\n")) {
			return
		}
		if strings.HasPrefix(line, "DATA") && s.answer(number, "DATA") == "" && !s.mail(reader, conn, number) {
			return
		}
	}
}

// mail reads a mail.
func (s *scripted) mail(reader *bufio.Reader, conn net.Conn, number int) bool {
	var mail strings.Builder
	for {
		line, err := reader.ReadString('\n')
		if err != nil {
			return false
		}
		if line == ".\r\n" {
			break
		}
		mail.WriteString(strings.TrimPrefix(line, "."))
	}
	s.mu.Lock()
	s.mails = append(s.mails, mail.String())
	s.mu.Unlock()
	return s.reply(conn, number, ".")
}

// reply answers a command, and reports whether the dialogue goes on.
func (s *scripted) reply(conn net.Conn, number int, command string) bool {
	s.mu.Lock()
	s.commands = append(s.commands, command)
	s.mu.Unlock()
	answer := s.answer(number, command)
	if answer == "" {
		answer = usual(command)
	}
	switch answer {
	case drop:
		return false
	case silent:
		<-s.done
		return false
	}
	_, err := conn.Write([]byte(answer + "\r\n"))
	return err == nil && command != "QUIT"
}

func usual(command string) string {
	verb, _, _ := strings.Cut(command, " ")
	switch verb {
	case "greeting":
		return "220 mx.example.test ESMTP"
	case "EHLO":
		return "250-mx.example.test\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME"
	case "DATA":
		return "354 go on"
	case "AUTH":
		return "235 2.7.0 welcome"
	case "QUIT":
		return "221 bye"
	}
	return "250 2.0.0 fine"
}

// saw returns the commands that begin with prefix.
func (s *scripted) saw(prefix string) (found []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, command := range s.commands {
		if strings.HasPrefix(command, prefix) {
			found = append(found, command)
		}
	}
	return found
}

// await waits until n such commands have come.
func (s *scripted) await(t *testing.T, n int, prefix string) {
	t.Helper()
	require.Eventually(t, func() bool { return len(s.saw(prefix)) >= n }, 10*time.Second, time.Millisecond)
}

func (s *scripted) received() (mails []string, connections int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append(mails, s.mails...), s.connections
}
