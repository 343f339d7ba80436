package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"syscall"
)

// percentCodes is how the characters that end a part of a URL are written in a user or a password.
const percentCodes = "%40 for @, %2F for /, %3F for ?, %23 for # and %25 for %"

// hidesPassword reports whether a user or a password holds a character that ends it. What stands behind that would be taken for a host or
// a path, and messages would show it.
func hidesPassword(text string) bool {
	_, rest, _ := strings.Cut(text, "://")
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	return strings.Count(rest[:end], "@") > 1 || strings.Contains(rest[end:], "@")
}

// checkURL refuses a URL of which a part may be a part of a password, since it would appear in errors.
func (f *storeFlag) checkURL() error {
	u, err := url.Parse(f.where)
	if err == nil && (u.Host != "" || f.namesHostElsewhere(u)) && u.Fragment == "" && !hidesPassword(f.where) && !f.misplaced(u) {
		return nil
	}
	socket := ""
	if strings.HasPrefix(f.scheme(), "postgres") {
		socket = "; for a Unix socket write postgres:///DATABASE?host=/var/run/postgresql"
	}
	return usagef("-store is not a URL: write SCHEME://USER:PASSWORD@HOST/DATABASE, and in the password %s%s", percentCodes, socket)
}

// namesHostElsewhere reports whether a parameter names the server: the directory of a Unix socket, or an entry of a service file. PostgreSQL's own
// programs guess a socket where nothing is named. Here such a URL is refused, since it is more likely a mistake.
func (f *storeFlag) namesHostElsewhere(u *url.URL) bool {
	return !f.isRedis() && (u.Query().Get("host") != "" || u.Query().Get("service") != "")
}

// misplaced reports whether the path and the parameters, which Redis shows in its errors, may be a part of a password.
func (f *storeFlag) misplaced(u *url.URL) bool {
	if !f.isRedis() {
		return false
	}
	_, err := strconv.Atoi(strings.TrimPrefix(u.Path, "/"))
	return err != nil && strings.Trim(u.Path, "/") != "" || strings.Contains(u.RawQuery, "%40")
}

// adviseServer says what to do about a server that is not reached.
func adviseServer(err error) error {
	if err == nil {
		return nil
	}
	network, isNetwork := errors.AsType[net.Error](err)
	_, unknown := errors.AsType[*net.DNSError](err)
	switch {
	case unknown:
		return fmt.Errorf("%w: correct the host in -store, or the name service of this machine", err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%w: nothing listens there: start the server, or correct the host and the port in -store", err)
	case errors.Is(err, context.DeadlineExceeded), isNetwork && network.Timeout():
		return fmt.Errorf("%w: the server does not answer: correct the host and the port in -store, or let the firewall pass them", err)
	}
	if text := adviceOfPostgres(err); text != "" {
		return fmt.Errorf("%w: %s", err, text)
	}
	return adviseTLS(err)
}
