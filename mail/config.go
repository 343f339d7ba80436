package mail

import (
	"crypto/tls"
	"io/fs"
	netmail "net/mail"
	"os"
	"strings"
	"time"

	"github.com/magiclink-go/magiclink"
)

const (
	defaultTimeout     = 30 * time.Second
	defaultConnections = 4
	defaultIdleTimeout = 30 * time.Second
	maxHelloName       = 255 // bytes
)

// Config configures a [Mailer]. Printed by fmt or slog it does not show the password.
type Config struct {
	// URL is the mail server: "smtp://user@host:587", or "smtps://user@host:465" for a server that expects TLS from the first byte.
	// Required. Without a port the ports are those of the examples. A user whose name has an "@" is written with "%40". Without a user nothing
	// is authenticated. The URL must not hold the password.
	//
	// With smtp:// a connection must become encrypted by STARTTLS (RFC 3207) before anything else is said, or no mail is sent. On a loopback host
	// (localhost, 127.0.0.1, ::1) that is so if TLS is set, and otherwise the connection is not encrypted.
	URL string

	// Password is that of the URL's user. It is sent by AUTH PLAIN (RFC 4616) or, where the server does not offer that, by AUTH LOGIN; never
	// over an unencrypted connection, unless to a loopback host.
	Password string

	// From is the sender, such as "Acme <login@acme.example>". Required. The address must be one that [magiclink.ValidEmail] accepts. Mails that
	// cannot be delivered come back to it.
	From string

	// TLS holds the certificates to trust, for example, for a server whose certificate no public authority has issued. Nil means the
	// certificates that the system trusts. An empty ServerName means the URL's host. It is not changed.
	TLS *tls.Config

	// Plaintext lets mails travel unencrypted to a host that is not a loopback host: whoever is on the way can read each link. It cannot be set
	// together with a user.
	Plaintext bool

	// Timeout bounds each Send, with the wait for a free connection. Zero means 30 seconds. A context that ends earlier counts.
	Timeout time.Duration

	// Connections is the greatest number of connections at one time. More Sends wait. Zero means 4.
	Connections int

	// IdleTimeout is how long a connection is kept for the next mail. Zero means 30 seconds.
	IdleTimeout time.Duration

	// HelloName is the name by which the Mailer introduces itself (EHLO, RFC 5321 section 4.1.1.1). Empty means the name of this
	// machine.
	HelloName string

	// Templates holds files that replace those built in, one by one: see the package's description. Nil means no such files. They are
	// read once, by [New].
	Templates fs.FS

	// Now is the clock for the header Date. Nil means time.Now.
	Now func() time.Time
}

// faults collects what is wrong with a configuration.
type faults magiclink.ConfigErrors

func (f *faults) add(field, reason string) {
	*f = append(*f, &magiclink.ConfigError{Field: field, Reason: reason})
}

// err returns all faults as one [magiclink.ConfigErrors], or nil.
func (f faults) err() error {
	if len(f) == 0 {
		return nil
	}
	return magiclink.ConfigErrors(f)
}

// writerFor checks what Config and DirectoryConfig have in common.
func writerFor(from string, templates fs.FS, now func() time.Time, faults *faults) writer {
	w := writer{now: now}
	if now == nil {
		w.now = time.Now
	}
	sender, ok := parseFrom(from)
	if !ok {
		faults.add("From", `must be a sender such as "Acme <login@acme.example>", with one plain address and a name without control characters`)
	}
	w.from = sender
	var err error
	if w.templates, err = LoadTemplates(templates); err != nil {
		faults.add("Templates", "have a fault: "+strings.TrimPrefix(err.Error(), "magiclink/mail: "))
	}
	return w
}

// parseFrom reads a sender. The name is one that clean leaves as it is.
func parseFrom(from string) (netmail.Address, bool) {
	sender, err := netmail.ParseAddress(from)
	if err != nil || !magiclink.ValidEmail(sender.Address) || clean(sender.Name, maxName) != sender.Name {
		return netmail.Address{}, false
	}
	return *sender, true
}

// check reports the faults of all fields and returns the Config with its defaults filled in.
func (c Config) check() (Config, server, writer, faults) {
	var faults faults
	server := c.server(&faults)
	writer := writerFor(c.From, c.Templates, c.Now, &faults)
	c.Timeout = orDefault(c.Timeout, defaultTimeout)
	c.IdleTimeout = orDefault(c.IdleTimeout, defaultIdleTimeout)
	c.Connections = orDefault(c.Connections, defaultConnections)
	if c.Timeout < 0 {
		faults.add("Timeout", "must not be negative")
	}
	if c.Connections < 0 {
		faults.add("Connections", "must not be negative")
	}
	if c.IdleTimeout < 0 {
		faults.add("IdleTimeout", "must not be negative")
	}
	if c.HelloName == "" {
		c.HelloName = machineName()
	}
	if !isHelloName(c.HelloName) {
		faults.add("HelloName", "must be a host name such as app.acme.example")
	}
	return c, server, writer, faults
}

func orDefault[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}

func machineName() string {
	if name, err := os.Hostname(); err == nil && isHelloName(name) {
		return name
	}
	return "localhost"
}

// isHelloName reports whether a name can stand in EHLO: a host name, or an address in brackets.
func isHelloName(name string) bool {
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_[]:"
	return name != "" && len(name) <= maxHelloName && strings.Trim(name, allowed) == "" // Trim: nothing but allowed characters
}
