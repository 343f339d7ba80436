package mail

import (
	"crypto/tls"
	"net"
	"net/url"
	"strconv"
)

// server is a mail server as a Config describes it.
type server struct {
	host, port     string
	user, password string
	tls            *tls.Config
	security       security
}

// security says how a connection is encrypted.
type security int

const (
	startTLS    security = iota // the connection becomes encrypted before anything else is said, or is given up
	implicitTLS                 // encrypted from the first byte
	plaintext
)

// server checks the fields that are about the server.
func (c Config) server(faults *faults) server {
	s := server{password: c.Password}
	at, err := url.Parse(c.URL)
	if err != nil || at.Host == "" || at.Hostname() == "" {
		faults.add("URL", "must be smtp://user@host:587 or smtps://user@host:465") // without err, which quotes a password
		return s
	}
	s.host, s.port, s.user = at.Hostname(), at.Port(), at.User.Username()
	s.security = c.security(at.Scheme, isLoopback(s.host), faults)
	s.port = portOf(at, faults)
	if (at.Path != "" && at.Path != "/") || at.RawQuery != "" || at.Fragment != "" {
		faults.add("URL", "must end after the port")
	}
	_, hasPassword := at.User.Password()
	switch {
	case hasPassword:
		faults.add("URL", "must not hold the password, since URLs are logged: set Password")
	case s.user != "" && c.Password == "":
		faults.add("Password", "is missing, since URL names a user")
	case s.user == "" && c.Password != "":
		faults.add("URL", "must name the user whose password is set: smtp://user@host")
	}
	if s.user != "" && s.security == plaintext && !isLoopback(s.host) {
		faults.add("Plaintext", "must not be set together with a user: the password would travel unencrypted")
	}
	s.tls = c.tlsFor(s.host)
	return s
}

func (c Config) security(scheme string, loopback bool, faults *faults) security {
	switch {
	case scheme == "smtps" && c.Plaintext:
		faults.add("Plaintext", "must not be set together with smtps://")
		return implicitTLS
	case scheme == "smtps":
		return implicitTLS
	case scheme != "smtp":
		faults.add("URL", "must begin with smtp:// or smtps://")
	}
	if c.Plaintext || loopback && c.TLS == nil {
		return plaintext
	}
	return startTLS
}

func portOf(at *url.URL, faults *faults) string {
	port := at.Port()
	if port == "" {
		return map[string]string{"smtp": "587", "smtps": "465"}[at.Scheme]
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		faults.add("URL", "must have a port from 1 to 65535")
	}
	return port
}

// tlsFor returns the TLS configuration for a host.
func (c Config) tlsFor(host string) *tls.Config {
	if c.TLS == nil {
		return &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	}
	config := c.TLS.Clone()
	if config.ServerName == "" {
		config.ServerName = host
	}
	return config
}

func isLoopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}
