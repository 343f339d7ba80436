package magiclink

import (
	"context"
	"unicode/utf8"
)

const maxActor = 255 // characters

type actorKey struct{}

// WithActor returns a context that says who makes the calls with it. The events of these calls have it as their [Event.Actor]. The HTTP
// adapter sets "client:" and the id of the client, or "session:" and the id of the session. An actor is an id and never a secret, a link or
// an address: at most 255 characters of UTF-8 without control characters. Another actor is left out of the events.
func WithActor(ctx context.Context, actor string) context.Context {
	return context.WithValue(ctx, actorKey{}, actor)
}

func actorOf(ctx context.Context) string {
	actor, _ := ctx.Value(actorKey{}).(string)
	if !plainText(actor) || utf8.RuneCountInString(actor) > maxActor {
		return ""
	}
	return actor
}
