package signin_test

import (
	"net/http"
	"testing"
	"time"
)

// journey is something that one can do and measure who does not have the mail.
type journey struct {
	name   string
	client func(*testing.T, *site) client
	before func(*batch)                           // what the visits have done before; nil is nothing
	timed  func(c client, v *visit) *http.Request // the request whose answer is timed
	rounds int                                    // of digests meanwhile
}

var journeys = []journey{
	{"asking", newPages, nil, client.ask, 100},
	{"asking, JSON", newSinglePage, nil, client.ask, 100},
	{"asking again", newPages, askedBefore, client.resend, 100},
	{"asking again at once", newPages, (*batch).asked, client.resend, 100}, // too soon: the pause of the browser
	{"looking", newPages, (*batch).asked, client.look, 100},
	{"looking while signed in", newPages, signedIn, client.look, 100},
	{"wrong code", newPages, (*batch).asked, client.code, timedRounds},
	{"wrong code, JSON", newSinglePage, (*batch).asked, client.code, timedRounds},
	{"wrong code after asking again", newPages, askedAgain, client.code, timedRounds},
	{"wrong code after too many", newPages, guessed, client.code, timedRounds},
	{"wrong code too late", newPages, tooLate, client.code, timedRounds},
	{"the code of another browser", newPages, otherBrowser, client.code, timedRounds},
	{"no code at all", newPages, noCode, client.code, timedRounds},
}

const resendPause = 31 * time.Second

func askedBefore(b *batch) { b.asked(); b.later(resendPause) }

func askedAgain(b *batch) { askedBefore(b); b.each(b.client.resend); b.spend() }

func guessed(b *batch) {
	b.asked()
	for range 5 {
		b.each(b.client.code)
	}
}

func tooLate(b *batch) { b.asked(); b.later(11 * time.Minute) }

func noCode(b *batch) {
	b.asked()
	for _, v := range b.visits {
		v.code = "none"
	}
}

// otherBrowser types what the mail says that another browser has asked for.
func otherBrowser(b *batch) {
	askedBefore(b)
	for _, v := range b.visits {
		if mail := b.mails.to(v.address); mail.Code != "" {
			v.code = mail.Code
		}
		v.flow = ""
	}
	other := newPages(b.t, b.site)
	b.client = other
	b.each(other.ask)
	b.spend()
}

// signedIn looks with the session of somebody else.
func signedIn(b *batch) {
	const address = "owner0000000@open.example"
	own := b.browser()
	flow := own.begin(address)
	b.settled()
	session := sessionToken(b.t, own.code(flow, b.mails.to(address).Code))
	b.asked()
	for _, v := range b.visits {
		v.session = session
	}
}
