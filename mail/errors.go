package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"regexp"

	"github.com/magiclink-go/magiclink/signin"
)

// answerError is an answer of the server that refuses something. It leaves out the text of the answer, in which servers repeat the
// address.
type answerError struct {
	step     string
	code     int
	enhanced string // such as "5.1.1" (RFC 3463), or empty
}

func (e *answerError) Error() string {
	code := fmt.Sprint(e.code)
	if e.enhanced != "" {
		code += " " + e.enhanced
	}
	return "magiclink/mail: the server answers " + code + " to " + e.step
}

// Is reports whether no further attempt makes sense (RFC 5321 section 4.2.1).
func (e *answerError) Is(target error) bool {
	return target == signin.ErrPermanent && e.code >= 500 && e.code <= 599
}

var enhancedCode = regexp.MustCompile(`^[245]\.\d{1,3}\.\d{1,3}\b`)

// failed describes an error of a dialogue in such a way that it can be logged.
func failed(ctx context.Context, step string, err error) error {
	if answer, ok := errors.AsType[*textproto.Error](err); ok {
		return &answerError{step: step, code: answer.Code, enhanced: enhancedCode.FindString(answer.Msg)}
	}
	hint := ""
	if step == stepContent {
		hint = " (the server may have taken the mail: a second copy has the same Message-ID)"
	}
	return fmt.Errorf("magiclink/mail: %s: %w%s", step, causeOf(ctx, err), hint)
}

// causeOf returns an error whose text holds nothing that the server has said.
func causeOf(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if network, ok := errors.AsType[net.Error](err); ok {
		return network
	}
	if certificate, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return certificate
	}
	for _, known := range []error{io.EOF, io.ErrUnexpectedEOF, errNoTLS, errNoAuth} {
		if errors.Is(err, known) {
			return known
		}
	}
	return errors.New("the server does not speak SMTP as it should, or does not speak TLS here")
}
