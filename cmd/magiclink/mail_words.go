package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/magiclink-go/magiclink/signin"
)

// inWords says what to do about a mail server that has not taken a mail. What the server itself says is in the error as far as it holds no
// address.
func inWords(err error) error {
	advice := adviceOf(err)
	text := strings.TrimPrefix(err.Error(), "magiclink/mail: ")
	if advice == "" {
		return errors.New(text)
	}
	return fmt.Errorf("%s (%s)", advice, text)
}

// advised adds to an error of a mail server what to do about it, for the log of serve.
func advised(err error) error {
	if err == nil {
		return nil
	}
	advice := adviceOf(err)
	if advice == "" {
		return err
	}
	return fmt.Errorf("%w: %s; \"magiclink mail send\" tries it", err, advice)
}

func adviceOf(err error) string {
	if advice := answerAdvice(err); advice != "" {
		return advice
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "the name of the mail server cannot be looked up: correct the host in -smtp, or the name service of this machine"
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "TLS fails, since the certificate of the mail server is not trusted: write the name that the certificate has into -smtp, " +
			"or let the system trust who has issued it, for example by SSL_CERT_FILE"
	}
	if strings.Contains(err.Error(), "offers neither AUTH") {
		return "the mail server has no log-in: leave USER@ out of -smtp, or try another port, such as 587"
	}
	if strings.Contains(err.Error(), "does not speak TLS") || strings.Contains(err.Error(), "STARTTLS") {
		return "TLS fails: smtps:// is for a port that speaks TLS from the first byte, mostly 465, and smtp:// for one with STARTTLS, mostly 587"
	}
	network, isNetwork := errors.AsType[net.Error](err)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens at that host and port: correct -smtp, or start the mail server"
	case errors.Is(err, context.DeadlineExceeded), isNetwork && network.Timeout(), strings.Contains(err.Error(), "longer than"):
		return "the mail server does not answer: a firewall may be in between (many networks block port 25), or the port expects TLS from the first byte, which smtps:// speaks"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), isNetwork:
		return "the mail server has closed the connection: the port may expect TLS from the first byte, which smtps:// speaks"
	}
	return ""
}

// answerAdvice is about a server that has answered, and refuses.
func answerAdvice(err error) string {
	_, answer, ok := strings.Cut(err.Error(), "the server answers ")
	if !ok {
		return ""
	}
	for _, step := range []struct{ to, advice string }{
		{" to AUTH", "the mail server refuses the log-in: correct the user in -smtp (an @ in it is written %40), and the password in " + smtpPasswordVariable},
		{" to MAIL FROM", "the mail server refuses the sender: it may not send for the address in -from, or asks for a log-in, as -smtp smtp://USER@HOST"},
		{" to RCPT TO", "the mail server refuses the recipient: the address may be wrong; where it says that it does not relay, it asks for a log-in, as -smtp smtp://USER@HOST"},
	} {
		if strings.Contains(answer, step.to) {
			return step.advice
		}
	}
	if errors.Is(err, signin.ErrPermanent) {
		return "the mail server refuses the mail"
	}
	return "the mail server cannot take the mail now: try it again later"
}
