package signin_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/signin"
	"github.com/magiclink-go/magiclink/store/memory"
)

// accounts are those of an application. An account that was made with a password may have an address that nobody has verified.
type accounts map[string]*account

type account struct {
	verified bool
	password string
}

// signUp makes the account at the first sign-in. Whoever signs in by a mailed link has shown that the address is theirs. An account that
// somebody else has made for this address before is taken away from them.
func (a accounts) signUp(_ http.ResponseWriter, _ *http.Request, redeemed magiclink.Redemption) error {
	if redeemed.Delivered != magiclink.DeliveredByMail {
		return fmt.Errorf("no proof of the mailbox: %w", httpadapter.ErrRefused)
	}
	found := a[redeemed.Email]
	if found == nil || !found.verified {
		a[redeemed.Email] = &account{verified: true} // without the old password; end the old sessions, too
	}
	return nil
}

// Passwordless sign-up: an address that nobody has yet gets a link, and the account is made when the link is used.
func Example_signUp() {
	users := accounts{"jane@example.com": {password: "chosen by somebody who waits for Jane"}}
	keys, _ := magiclink.GenerateKeyring(magiclink.EdDSA)
	config := magiclink.Config{BaseURL: "https://app.example.com/magic", Keys: keys, Store: memory.New()}
	inbox := new(inbox)
	flow, err := signin.New(signin.Config{
		Config: config, Mailer: inbox, App: "Acme",
		Resolve: func(_ context.Context, address string) (magiclink.MagicLinkCreate, error) {
			return magiclink.MagicLinkCreate{ExternalBusinessID: "app", Email: address}, nil // known or not
		},
		Page: httpadapter.PageConfig{OnRedeem: users.signUp},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	service, err := httpadapter.NewService(httpadapter.ServiceConfig{Config: config, SignIn: flow})
	if err != nil {
		fmt.Println(err)
		return
	}

	person := &visitor{service: service}
	form := person.form(person.do(http.MethodGet, "/sign-in", nil))
	form.Set("email", "jane@example.com")
	person.do(http.MethodPost, "/sign-in", form)
	_ = flow.Wait(context.Background())
	link := inbox.all()[0].Link
	form = person.form(person.do(http.MethodGet, link, nil))
	answer := person.do(http.MethodPost, "/magic", form)
	fmt.Println(answer.Code, answer.Header().Get("Location"))
	fmt.Printf("verified %t, password %q\n", users["jane@example.com"].verified, users["jane@example.com"].password)
	// Output:
	// 303 https://app.example.com/
	// verified true, password ""
}

// A person who is unknown is told nothing, and gets no mail.
func ExampleErrUnknownAddress() {
	known := map[string]string{"jane@example.com": "acme"}
	resolve := func(_ context.Context, address string) (magiclink.MagicLinkCreate, error) {
		business, ok := known[address]
		if !ok {
			return magiclink.MagicLinkCreate{}, signin.ErrUnknownAddress
		}
		return magiclink.MagicLinkCreate{ExternalBusinessID: business, Email: address}, nil
	}
	_, err := resolve(context.Background(), "joe@example.com")
	fmt.Println(errors.Is(err, signin.ErrUnknownAddress))
	// Output: true
}

// visitor is a person with a browser.
type visitor struct {
	service http.Handler
	cookies []*http.Cookie
}

func (v *visitor) do(method, target string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, cookie := range v.cookies {
		r.AddCookie(cookie)
	}
	w := httptest.NewRecorder()
	v.service.ServeHTTP(w, r)
	v.cookies = append(v.cookies, w.Result().Cookies()...)
	return w
}

func (v *visitor) form(page *httptest.ResponseRecorder) url.Values {
	form := url.Values{}
	for _, field := range regexp.MustCompile(`name="(token|form)" value="([^"]*)"`).FindAllStringSubmatch(page.Body.String(), -1) {
		form.Set(field[1], field[2])
	}
	return form
}
