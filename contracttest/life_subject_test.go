package contracttest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/store/memory"
)

const revokeSubject = httpadapter.LinksPath + "/revoke"

func TestRevokeSubject(t *testing.T) {
	onEveryStore(t, func(t *testing.T, store magiclink.Store) {
		l := newLife(t, store)
		for body, want := range map[string]float64{
			`{"email":"jane@example.com"}`:                                       3,
			`{"email":"jane@EXAMPLE.com"}`:                                       3,
			`{"email":"Jane@example.com"}`:                                       0,
			`{"business_id":"` + acme + `"}`:                                     3,
			`{"external_business_id":"acme"}`:                                    3,
			`{"business_id":"` + acme + `","external_business_id":"acme"}`:       3,
			`{"business_id":"` + acme + `","external_business_id":"globex"}`:     0,
			`{"email":"jane@example.com","business_id":"` + acme + `"}`:          2,
			`{"email":"jane@example.com","external_business_id":"globex"}`:       1,
			` {"email" : "joe\u0040example.com"} `:                               1,
			`{"business_id":"` + other + `"}`:                                    0,
			`{"business_id":"` + nobody + `"}`:                                   0,
			`{"external_business_id":"nobody"}`:                                  0,
			`{"email":"nobody@example.com"}`:                                     0,
			`{"external_business_id":"' OR 1=1 --"}`:                             0,
			`{"external_business_id":"` + strings.Repeat("ü", 255) + `"}`:        0,
			`{"email":"jane@example.com","external_business_id":"\ud83d\ude00"}`: 0,
		} {
			foreign, _ := l.session(t, whose{"t2", other, "jane@example.com"})
			l.session(t, jane)
			l.link(t, jane)
			l.link(t, whose{"t1", globex, "jane@example.com"})
			l.link(t, whose{"t1", acme, "joe@example.com"})
			require.Equal(t, object{"revoked": want}, l.data(t, "POST", revokeSubject, body), body)
			require.Equal(t, object{"revoked": 0.0}, l.data(t, "POST", revokeSubject, body), "once more")
			require.Equal(t, magiclink.StateSession, l.state(t, foreign), "of another tenant")
			l.data(t, "POST", revokeSubject, `{"business_id":"`+acme+`"}`)
			l.data(t, "POST", revokeSubject, `{"business_id":"`+globex+`"}`)
		}
	})
}

func TestSubjectsThatBreakTheirRule(t *testing.T) {
	l := newLife(t, memory.New())
	id, _ := l.session(t, jane)
	for body, want := range map[string]string{
		`{}`:                          "email:required_without",
		`{"email":null}`:              "email:type",
		`{"email":""}`:                "email:email",
		`{"email":5}`:                 "email:type",
		`{"email":["a@example.com"]}`: "email:type",
		`{"email":"x"}`:               "email:email",
		`{"email":"jane@example.com","business_id":null}`:              "business_id:type",
		`{"email":"jane@example.com","business_id":""}`:                "business_id:biz_string",
		`{"email":"jane@example.com","external_business_id":null}`:     "external_business_id:type",
		`{"email":"jane@example.com","external_business_id":""}`:       "external_business_id:plaintext",
		`{"external_business_id":"` + strings.Repeat("ü", 256) + `"}`:  "external_business_id:plaintext",
		`{"external_business_id":"\u0000"}`:                            "external_business_id:plaintext",
		`{"external_business_id":{},"business_id":"x","email":false}`:  "email:type business_id:biz_string external_business_id:type",
		`{"email":"jane@example.com","busines_id":"` + globex + `"}`:   "",
		`{"Email":"jane@example.com"}`:                                 "",
		`{"email":"jane@example.com","tenant_id":"t2"}`:                "",
		`{"email":"jane@example.com","email":"jane@example.com"}`:      "",
		`{"email":"jane@example.com"}{}`:                               "",
		`[{"email":"jane@example.com"}]`:                               "",
		`"jane@example.com"`:                                           "",
		`email=jane@example.com`:                                       "",
		"{\"email\":\"\xff\"}":                                         "",
		"\ufeff" + `{"email":"jane@example.com"}`:                      "",
		`{"email":"jane@example.com","x":` + strings.Repeat("[", 1000): "",
	} {
		for _, change := range []func(*magiclink.AccessToken){func(*magiclink.AccessToken) {}, scopedTo(acme)} {
			got := l.ask(t, "POST", revokeSubject, body, change)
			require.Equal(t, http.StatusUnprocessableEntity, got.status, "%s: %s", body, got.body)
			checkServed(t, "POST", revokeSubject, got)
			require.Equal(t, strings.Fields(want), append([]string{}, brokenFields(t, got)...), body)
		}
	}
	wrong := l.request(t, "POST", revokeSubject, `{"email":"jane@example.com"}`)
	wrong.header.Set("Content-Type", "text/plain")
	require.Equal(t, http.StatusUnprocessableEntity, l.send(t, wrong).status)
	require.Equal(t, magiclink.StateSession, l.state(t, id))
	require.Equal(t, object{"revoked": 1.0}, l.data(t, "POST", revokeSubject, `{"email":"jane@example.com"}`), "the control")
}
