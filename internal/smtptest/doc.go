// Package smtptest starts a private mail server for tests: a Postfix on a free port of the loopback interface, in a temporary directory that
// is removed when the test ends. The server ends with the test process, even if that process is killed. It offers STARTTLS with a certificate of its
// own, takes mails for every address, and keeps all of them in one Maildir. Postfix needs root; the program comes from Debian's packages: see
// install.sh.
//
// Where a program or root is missing, a test fails if CI is "true", and is skipped otherwise.
package smtptest
