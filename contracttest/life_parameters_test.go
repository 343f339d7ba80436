package contracttest

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/memory"
)

func TestParametersOfAList(t *testing.T) {
	onEveryStore(t, func(t *testing.T, store magiclink.Store) {
		l := newLife(t, store)
		ofJane, _ := l.session(t, jane)
		ofJoe, _ := l.session(t, whose{"t1", globex, "joe@example.com"})
		l.link(t, whose{"t2", other, "jane@example.com"})
		all, none := []string{ofJane, ofJoe}, []string{}
		for query, want := range map[string][]string{
			"":                            all,
			"business_id=" + acme:         {ofJane},
			"external_business_id=globex": {ofJoe},
			"business_id=" + acme + "&external_business_id=acme":       {ofJane},
			"business_id=" + acme + "&external_business_id=globex":     none,
			"business_id=" + other:                                     none,
			"business_id=" + nobody:                                    none,
			"external_business_id=nobody":                              none,
			"external_business_id=" + url.QueryEscape("ü'%_\"; --"):    none,
			"email=jane@example.com":                                   {ofJane},
			"email=jane@EXAMPLE.com":                                   {ofJane},
			"email=Jane@example.com":                                   none,
			"email=jane%40example.com&limit=1":                         {ofJane},
			"email=joe@example.com&business_id=" + acme:                none,
			"limit=200&x=y&x=z&Email=x&LIMIT=0&tenant_id=t2&state[]=x": all,
		} {
			listed := l.data(t, "GET", links+"?"+query, "")
			require.ElementsMatch(t, want, idsIn(listed, "magic_links", "magic_link_id"), query)
			require.Nil(t, listed["next_cursor"])
			require.ElementsMatch(t, want, idsIn(l.data(t, "GET", sessions+"?"+query, ""), "sessions", "magic_link_id"), query)
		}
	})
}

func TestParametersThatBreakTheirRule(t *testing.T) {
	l := newLife(t, memory.New())
	l.session(t, jane)
	long := strings.Repeat("a", 256)
	for query, want := range map[string]string{
		"business_id=": "business_id:biz_string", "business_id=x": "business_id:biz_string", "business_id": "business_id:biz_string",
		"business_id=" + acme + "%00":                  "business_id:biz_string",
		"business_id=" + acme + "&business_id=" + acme: "business_id:once",
		"external_business_id=":                        "external_business_id:plaintext",
		"external_business_id=" + long:                 "external_business_id:plaintext",
		"external_business_id=%00":                     "external_business_id:plaintext",
		"external_business_id=%ff":                     "external_business_id:plaintext",
		"external_business_id=a&external_business_id=": "external_business_id:once",
		"email=":                                "email:email",
		"email=x":                               "email:email",
		"email=jane+x@example.com":              "email:email",
		"email=%00@example.com":                 "email:email",
		"email=jane@example.com&email=":         "email:once",
		"email=m%C4%B1ke@example.com":           "email:email",
		"limit=0":                               "limit:min",
		"limit=201":                             "limit:max",
		"limit=99999999999999999999999999":      "limit:max",
		"limit=":                                "limit:type",
		"limit=-1":                              "limit:type",
		"limit=%2B5":                            "limit:type",
		"limit=1e1":                             "limit:type",
		"limit=5.0":                             "limit:type",
		"limit=0x5":                             "limit:type",
		"limit=%D9%A5":                          "limit:type",
		"limit=5&limit=5":                       "limit:once",
		"cursor=":                               "cursor:cursor",
		"cursor=x":                              "cursor:cursor",
		"cursor=%00":                            "cursor:cursor",
		"cursor=MW1sa18%3D":                     "cursor:cursor",
		"cursor=" + encode([]byte("2mlk_x")):    "cursor:cursor",
		"cursor=" + encode([]byte("1")):         "cursor:cursor",
		"cursor=" + encode([]byte("1mlk_\x00")): "cursor:cursor",
		"cursor=" + encode([]byte("1mlk_\xff")): "cursor:cursor",
		"cursor=" + encode([]byte("1"+long)):    "cursor:cursor",
		"cursor=" + encode([]byte("1mlk_x")) + "%0a":        "cursor:cursor",
		"cursor=" + encode([]byte("1x")) + "&cursor=x":      "cursor:once",
		"limit=0&cursor=x&email=x&business_id=x&state=live": "business_id:biz_string email:email limit:min cursor:cursor",
	} {
		for _, path := range []string{links, sessions} {
			got := l.ask(t, "GET", path+"?"+query, "")
			require.Equal(t, http.StatusUnprocessableEntity, got.status, "%s: %s", query, got.body)
			checkServed(t, "GET", path, got)
			require.Equal(t, strings.Split(want, " "), brokenFields(t, got), query)
		}
	}
	for _, state := range []string{"", "session", "Live", "live,used", "live%20", "%00", "*"} {
		got := l.ask(t, "GET", links+"?state="+state, "")
		require.Equal(t, []string{"state:oneof"}, brokenFields(t, got), state)
		require.Len(t, l.data(t, "GET", sessions+"?state="+state, "")["sessions"], 1, "a list of sessions has no state")
	}
	require.Equal(t, []string{"state:once"}, brokenFields(t, l.ask(t, "GET", links+"?state=live&state=live", "")))
	for _, query := range []string{"email=%zz", "a;b", "%", "x=1;limit=5"} {
		got := l.send(t, l.rawQuery(t, links, query))
		require.Equal(t, http.StatusUnprocessableEntity, got.status, query)
		require.Empty(t, brokenFields(t, got))
	}
}

func (l *life) rawQuery(tb testing.TB, path, query string) request {
	tb.Helper()
	return l.request(tb, "GET", path+"?"+query, "")
}

// A page has the next cursor if and only if there is another page.
func TestEndOfAList(t *testing.T) {
	onEveryStore(t, func(t *testing.T, store magiclink.Store) {
		l := newLife(t, store)
		for range 4 {
			l.session(t, jane)
		}
		for path, list := range map[string]string{links: "magic_links", sessions: "sessions"} {
			for limit, pages := range map[int][]int{1: {1, 1, 1, 1}, 2: {2, 2}, 3: {3, 1}, 4: {4}, 5: {4}} {
				query, seen := "?limit="+strconv.Itoa(limit), map[string]bool{}
				next := ""
				for n, size := range pages {
					data := l.data(t, "GET", path+query+next, "")
					for _, id := range idsIn(data, list, "magic_link_id") {
						require.False(t, seen[id])
						seen[id] = true
					}
					require.Len(t, data[list], size)
					require.Equal(t, n == len(pages)-1, data["next_cursor"] == nil)
					if cursor, more := data["next_cursor"].(string); more {
						next = "&cursor=" + cursor
					}
				}
				require.Len(t, seen, 4)
			}
		}
		require.Equal(t, []any{}, l.data(t, "GET", links+"?business_id="+nobody, "")["magic_links"])
		require.Equal(t, []any{}, l.data(t, "GET", sessions+"?business_id="+nobody, "")["sessions"])
	})
}
