package contracttest

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

// cursorForger makes cursors that no answer has given, and some that answers to others have given.
type cursorForger struct {
	*rand.Rand
	ids []string // of the caller and of others
}

func (f *cursorForger) bytes(most int) []byte {
	text := make([]byte, f.IntN(most+1))
	for n := range text {
		text[n] = byte(f.Uint32())
	}
	return text
}

func (f *cursorForger) id() string { return f.ids[f.IntN(len(f.ids))] }

func (f *cursorForger) ascii(most int) []byte {
	text := f.bytes(most)
	for n := range text {
		text[n] = '!' + text[n]%('~'-'!'+1)
	}
	return text
}

func (f *cursorForger) cursor() string {
	const hostile = "' OR 1=1 --|%|_|*|\\|mlk_%|\x00|t2|{\"$gt\":\"\"}|../../etc/passwd|;DROP TABLE links|\u202e|NULL|idk_"
	words := strings.Split(hostile, "|")
	switch f.IntN(9) {
	case 0:
		return string(f.bytes(60))
	case 1:
		return encode(f.bytes(60))
	case 2:
		return encode([]byte("1" + f.id()))
	case 3: // one byte of a good one is another
		good := []byte(encode([]byte("1" + f.id())))
		good[f.IntN(len(good))] = byte(f.Uint32())
		return string(good)
	case 4:
		good := encode([]byte("1" + f.id()))
		return good[:f.IntN(len(good))] + string(f.bytes(3))
	case 5:
		return encode(append([]byte("1"), f.ascii(300)...))
	case 6:
		return encode([]byte("1" + words[f.IntN(len(words))]))
	case 7:
		return encode(append([]byte{byte(f.Uint32())}, f.id()...))
	}
	return words[f.IntN(len(words))] + f.id()
}

// 50,000 forged and foreign cursors give a page of the caller's own links or 422, and nothing else.
func TestForgedCursors(t *testing.T) {
	onEveryStore(t, func(t *testing.T, store magiclink.Store) {
		l := newLife(t, store)
		forger := &cursorForger{Rand: rand.New(rand.NewPCG(1, 2))}
		own := map[string]bool{}
		for n := range 30 {
			w := owners[n%len(owners)]
			id, _ := l.session(t, w)
			own[id] = w.tenant == "t1" && w.business == acme
			forger.ids = append(forger.ids, id)
		}
		token := l.request(t, "GET", "", "", scopedTo(acme)).header.Get("Authorization")
		answers, shown := map[int]int{}, 0
		for n := range 50_000 {
			path, list := links, "magic_links"
			if n%2 == 1 {
				path, list = sessions, "sessions"
			}
			w := serve(l.all, "GET", path+"?cursor="+url.QueryEscape(forger.cursor()), "Authorization", token)
			answers[w.Code]++
			if w.Code != http.StatusOK {
				require.Equal(t, http.StatusUnprocessableEntity, w.Code)
				continue
			}
			var answer struct {
				Data map[string]json.RawMessage `json:"data"`
			}
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &answer))
			var elements []struct {
				ID string `json:"magic_link_id"`
			}
			require.NoError(t, json.Unmarshal(answer.Data[list], &elements))
			for _, element := range elements {
				shown++
				require.True(t, own[element.ID], "a leak: %s", w.Body)
			}
		}
		require.Greater(t, answers[http.StatusOK], 5_000, "the control: foreign ids are compared like any other")
		require.Greater(t, answers[http.StatusUnprocessableEntity], 5_000)
		require.Greater(t, shown, 5_000)
		t.Logf("%v, %d links shown", answers, shown)
	})
}

// Whatever stands in a query, the answer is 200, 401 or 422, and holds nothing of others.
func TestHostileQueries(t *testing.T) {
	l := newLife(t, stores["sqlite"](t))
	l.session(t, jane)
	foreign, _ := l.session(t, whose{"t2", other, "joe@example.com"})
	forger := &cursorForger{Rand: rand.New(rand.NewPCG(3, 4)), ids: []string{foreign}}
	signs := []string{"=", "=", "=", "", "[]=", "%00="}
	names := []string{"business_id", "external_business_id", "email", "state", "limit", "cursor", "access_token", "token", "x", ""}
	token := l.request(t, "GET", "", "").header.Get("Authorization")
	answers := map[int]int{}
	for n := range 20_000 {
		var query strings.Builder
		for range forger.IntN(4) {
			value := forger.cursor()
			if forger.IntN(2) == 0 {
				value = url.QueryEscape(value)
			}
			query.WriteString(names[forger.IntN(len(names))] + signs[forger.IntN(len(signs))] + value + "&")
		}
		path := []string{links, sessions}[n%2]
		w := serve(l.all, "GET", path+"?"+query.String(), "Authorization", token)
		answers[w.Code]++
		require.Contains(t, []int{200, 401, 422}, w.Code, "%q: %s", query.String(), w.Body)
		require.NotContains(t, w.Body.String(), "joe@")
		require.NotContains(t, w.Body.String(), other)
	}
	for _, status := range []int{200, 401, 422} {
		require.Greater(t, answers[status], 100, "the control: %v", answers)
	}
}

// A walk over all pages finds each of 1,000 links once, while others are issued and revoked beside it.
func TestWalkOverAMovingList(t *testing.T) {
	onEveryStore(t, func(t *testing.T, store magiclink.Store) {
		l := newLife(t, store)
		l.step = 100 * time.Microsecond
		there := map[string]int{}
		var doomed []string
		for n := range 1_000 {
			id, _ := l.session(t, jane)
			there[id] = 0
			if n%10 == 0 {
				l.link(t, whose{"t2", other, "jane@example.com"})
			}
			if n%5 == 0 {
				gone, _ := l.link(t, jane)
				doomed = append(doomed, gone)
			}
		}
		turns, done := make(chan struct{}), make(chan int, 1)
		go func() { // beside each page, issues links and revokes those that the walk may or may not find
			moved := 0
			defer func() { done <- moved }()
			for range turns {
				for range 10 {
					_, _ = l.all.Issuer().Issue(t.Context(), magiclink.MagicLinkCreate{
						Caller: magiclink.Caller{TenantID: "t1"}, BusinessID: acme, Email: jane.email,
					})
					_ = l.all.Issuer().Revoke(t.Context(), "t1", doomed[moved%len(doomed)])
					moved++
				}
			}
		}()
		walk := func(path, list string) (seen map[string]int, pages int) {
			seen = map[string]int{}
			for next := "?limit=37"; next != ""; pages++ {
				select {
				case turns <- struct{}{}:
				default: // the turn before is not over, so the list moves all the same
				}
				data := l.data(t, "GET", path+next, "")
				for _, id := range idsIn(data, list, "magic_link_id") {
					seen[id]++
				}
				cursor, more := data["next_cursor"].(string)
				next = "?limit=37&cursor=" + cursor
				if !more {
					next = ""
				}
			}
			return seen, pages
		}
		for path, list := range map[string]string{links: "magic_links", sessions: "sessions"} {
			seen, pages := walk(path, list)
			require.Greater(t, pages, 20)
			missing, twice := 0, 0
			for id := range there {
				if seen[id] == 0 {
					missing++
				}
			}
			for _, times := range seen {
				if times > 1 {
					twice++
				}
			}
			require.Zero(t, missing, list)
			require.Zero(t, twice, list)
		}
		seen, _ := walk(links, "magic_links")
		close(turns)
		require.Greater(t, <-done, 20, "the control: the list has moved")
		require.Greater(t, len(seen), 1_200)
	})
}
