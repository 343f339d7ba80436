package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// inParallel calls f for 0 … n-1, and fails with the first error.
func inParallel(t *testing.T, n int, f func(i int) error) {
	t.Helper()
	const workers = 16
	errs := make(chan error, workers)
	var wg sync.WaitGroup
	for worker := range workers {
		wg.Go(func() {
			for i := worker; i < n; i += workers {
				if err := f(i); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	require.NoError(t, <-errs)
}

// issueAll asks for a link to each path; a path that is refused gets none. An empty path is none.
func (s *service) issueAll(paths []string) []link {
	s.t.Helper()
	links := make([]link, len(paths))
	s.Token()
	inParallel(s.t, len(paths), func(i int) error {
		members := map[string]any{"external_business_id": "acme", "ttl": 15}
		if paths[i] != "" {
			members["path"] = paths[i]
		}
		body, err := json.Marshal(members)
		if err != nil {
			return err
		}
		switch got := s.Issue(string(body)); got.Status {
		case http.StatusCreated:
			links[i] = readLink(s.t, got)
		case http.StatusUnprocessableEntity:
		default:
			return fmt.Errorf("%q: %d %s", paths[i], got.Status, got.Body)
		}
		return nil
	})
	return links
}

// resolved is where Chromium would go from a page of the origin.
type resolved struct{ Origin, Href string }

// resolve asks Chromium's own URL parser; an address that it cannot read has no origin.
func (b *tab) resolve(origin string, addresses []string) []resolved {
	b.t.Helper()
	list, err := json.Marshal(addresses)
	require.NoError(b.t, err)
	return ask(b, chromedp.Evaluate[[]resolved](fmt.Sprintf(`%s.map(a => {
		try { const u = new URL(a, %q); return {Origin: u.origin, Href: u.href} } catch { return {Origin: "", Href: ""} }
	})`, list, origin)))
}

// asURI encodes the characters of a local path that RFC 3986 does not allow, as Location does.
var asURI = strings.NewReplacer(`"`, "%22", "<", "%3C", ">", "%3E", "[", "%5B", "]", "%5D", "^", "%5E", "`", "%60",
	"{", "%7B", "|", "%7C", "}", "%7D")

func TestHostilePaths(t *testing.T) {
	t.Parallel()
	s, b := start(t), open(t)
	paths := hostile()
	require.Greater(t, len(paths), 1000)
	var accepted []link
	var refused []string
	for i, l := range s.issueAll(paths) {
		if l.url == "" {
			refused = append(refused, paths[i])
		} else {
			accepted = append(accepted, l)
		}
	}
	leaving := 0
	for _, to := range b.resolve(s.Origin, refused) {
		if to.Origin != s.Origin {
			leaving++
		}
	}
	t.Logf("%d paths: %d refused, of which %d would leave the origin; %d accepted", len(paths), len(refused), leaving, len(accepted))
	require.Greater(t, leaving, 1000, "the control: the paths are hostile")

	for _, l := range accepted {
		require.Equal(t, http.StatusOK, b.visit(l.url))
		path := s.record(l).path
		b.signIn() // whatever is at that address
		require.Equal(t, s.Origin, ask(b, chromedp.Evaluate[string](`location.origin`)), "%q", path)
		require.Equal(t, b.resolve(s.Origin, []string{asURI.Replace(path)})[0].Href, b.address(), "%q", path)
	}
	s.requireNoEscape(b, refused)
}

// requireNoEscape puts the paths into the database, behind the back of all checks, and redeems.
func (s *service) requireNoEscape(b *tab, paths []string) {
	s.t.Helper()
	links := s.issueAll(make([]string, len(paths)))
	tx, err := database(s.t, s.data).BeginTx(s.t.Context(), nil)
	require.NoError(s.t, err)
	for i, path := range paths {
		_, err := tx.ExecContext(s.t.Context(), "UPDATE magiclink_links SET path = ? WHERE id = ?", path, links[i].id)
		require.NoError(s.t, err)
	}
	require.NoError(s.t, tx.Commit())
	locations := make([]string, len(links))
	inParallel(s.t, len(links), func(i int) error {
		got := s.post(s.openForm(links[i], ""))
		if locations[i] = got.Header.Get("Location"); got.Status != http.StatusSeeOther {
			return fmt.Errorf("%q: %d", paths[i], got.Status)
		}
		return nil
	})
	for i, to := range b.resolve(s.Origin, locations) {
		require.Equal(s.t, s.Origin, to.Origin, "%q", paths[i])
		require.Equal(s.t, s.Origin+"/", to.Href, "%q is forgotten", paths[i])
	}
}

func TestBenignPaths(t *testing.T) {
	t.Parallel()
	s, b := start(t), open(t)
	require.GreaterOrEqual(t, len(benign), 40)
	for i, l := range s.issueAll(benign) {
		require.NotEmpty(t, l.url, benign[i])
		require.Equal(t, http.StatusOK, b.visit(l.url), benign[i])
		arrived := b.signIn()
		require.Equal(t, s.Origin+asURI.Replace(benign[i]), b.address())
		if strings.HasPrefix(benign[i], "/.well-known/") { // these are the API's, which has no such document
			require.Equal(t, http.StatusNotFound, arrived, benign[i])
		} else {
			require.Equal(t, http.StatusOK, arrived, benign[i])
		}
	}
}
