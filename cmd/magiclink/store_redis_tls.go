package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
)

// tlsFiles are files that the URL of a Redis server names, by the parameters that a URL of PostgreSQL has.
type tlsFiles struct{ rootCert, cert, key string }

// cutTLSFiles takes the names of the files out of the URL: go-redis does not know these parameters.
func cutTLSFiles(server string) (rest string, files tlsFiles, err error) {
	u, err := url.Parse(server)
	if err != nil {
		return server, tlsFiles{}, nil // go-redis reports it
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return server, tlsFiles{}, nil
	}
	for name, value := range map[string]*string{"sslrootcert": &files.rootCert, "sslcert": &files.cert, "sslkey": &files.key} {
		*value = query.Get(name)
		query.Del(name)
	}
	switch {
	case files == tlsFiles{}:
		return server, files, nil
	case u.Scheme != "rediss":
		return "", files, errors.New("sslrootcert, sslcert and sslkey need TLS: write rediss://")
	case (files.cert == "") != (files.key == ""):
		return "", files, errors.New("sslcert and sslkey go together: name both files")
	}
	u.RawQuery = query.Encode()
	return u.String(), files, nil
}

// apply has the client trust the authorities of the files, and show their certificate.
func (f tlsFiles) apply(config *tls.Config) error {
	if f.rootCert != "" {
		text, err := os.ReadFile(f.rootCert)
		if err != nil {
			return fmt.Errorf("sslrootcert: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(text) {
			return fmt.Errorf("sslrootcert: %s holds no certificate: it must be in PEM", f.rootCert)
		}
	}
	if f.cert != "" {
		pair, err := tls.LoadX509KeyPair(f.cert, f.key)
		if err != nil {
			return fmt.Errorf("sslcert and sslkey: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return nil
}

// adviseTLS says what to do where the certificates of a server and of this command do not go together.
func adviseTLS(err error) error {
	if err == nil {
		return nil
	}
	invalid, isInvalid := errors.AsType[x509.CertificateInvalidError](err)
	_, otherHost := errors.AsType[x509.HostnameError](err)
	_, unknown := errors.AsType[x509.UnknownAuthorityError](err)
	switch {
	case unknown:
		return fmt.Errorf("%w: name the file of its authority by sslrootcert=FILE in the URL, or in SSL_CERT_FILE", err)
	case otherHost:
		return fmt.Errorf("%w: write a host in the URL for which the server has a certificate", err)
	case isInvalid && invalid.Reason == x509.Expired:
		return fmt.Errorf("%w: renew the certificate of the server", err)
	case strings.Contains(err.Error(), "tls: certificate required"), strings.Contains(err.Error(), "requires a valid client certificate"):
		return fmt.Errorf("%w: name the files of a certificate by sslcert=FILE and sslkey=FILE in the URL", err)
	}
	return err
}

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
	return adviseServer(err)
}
