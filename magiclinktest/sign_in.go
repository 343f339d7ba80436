package magiclinktest

import "net/http"

// SignIn signs a person in as a person does it: it opens the address from, enters the address of the person, takes the next mail out of the
// inbox, opens its link in this browser, and presses the button. It returns the page at which the person arrives. It fails the test if the
// person does not get that far.
//
// The address from is that of the request page, or of a page that leads there when nobody is signed in; then the person arrives at that page. See
// [Browser.Open] for how it may be written.
//
//	page := person.SignIn(inbox, "https://app.example.com/reports", "jane@example.com")
func (b *Browser) SignIn(inbox *Inbox, from, address string) *Page {
	b.tb.Helper()
	if waiting := b.Open(from).Submit("email", address); waiting.Status != http.StatusOK {
		b.tb.Fatalf("magiclinktest: the address %s was entered, and the answer is %s", address, waiting.seen())
	}
	mail := inbox.Wait(b.tb, address)
	if mail.Link == "" {
		b.tb.Fatalf("magiclinktest: the mail to %s is of the kind %q and has no link", address, mail.Kind)
	}
	arrived := b.Open(mail.Link).Submit()
	if arrived.method == http.MethodPost { // the button leads elsewhere where it signs somebody in
		b.tb.Fatalf("magiclinktest: %s is not signed in: the button has led to %s", address, arrived.seen())
	}
	return arrived
}
