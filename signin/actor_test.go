package signin_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/signin"
)

// The lines of an audit log say that the flow has asked for the link and sent the mail.
func TestEventsNameTheFlow(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	b.typed(b.waiting(jane).Code)
	ops := map[string]string{}
	for _, event := range s.told.events {
		ops[string(event.Op)] = event.Actor
	}
	for _, op := range []string{"issue", string(signin.OpRequest), string(signin.OpMail), string(signin.OpCode)} {
		require.Equal(t, "sign-in", ops[op], op)
	}
	require.Contains(t, ops, "redeem")
}
