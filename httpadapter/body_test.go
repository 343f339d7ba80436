package httpadapter_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// middlewares are what applications put in front of handlers and what reads the body before them.
var middlewares = map[string]func(*http.Request){
	"nothing":            func(*http.Request) {},
	"ParseForm":          func(r *http.Request) { _ = r.ParseForm() },
	"PostFormValue":      func(r *http.Request) { _ = r.PostFormValue("x") },
	"FormValue":          func(r *http.Request) { _ = r.FormValue("x") },
	"ParseMultipartForm": func(r *http.Request) { _ = r.ParseMultipartForm(1 << 20) },
	"ParseForm, closed":  func(r *http.Request) { _ = r.ParseForm(); _ = r.Body.Close() },
	"ParseForm, no body": func(r *http.Request) { _ = r.ParseForm(); r.Body = http.NoBody },
	"ParseForm, nil":     func(r *http.Request) { _ = r.ParseForm(); r.Body = nil },
	"ParseForm, replaced": func(r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		_ = r.ParseForm()
		r.Body = io.NopCloser(strings.NewReader(string(body)))
	},
}

func behind(middleware func(*http.Request), next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		middleware(r)
		next.ServeHTTP(w, r)
	})
}

// Behind a middleware that has parsed the form, the token endpoint answers as without it.
func TestTokenEndpointBehindAMiddleware(t *testing.T) {
	tokens := newTokens(t)
	for name, middleware := range middlewares {
		t.Run(name, func(t *testing.T) {
			handler := behind(middleware, tokens)
			for _, row := range []struct {
				target, contentType, body string
				status                    int
				says                      string
			}{
				{"/", typeForm, goodForm, 200, "access_token"},
				{"/", typeForm + "; charset=ISO-8859-1", goodForm, 200, "access_token"},
				{"/", typeForm, goodForm + "&scope=auth%3Acreate", 200, "access_token"},
				{"/", typeForm, goodForm + "x", 401, "invalid_client"},
				{"/", typeForm, goodForm + "&scope=a&scope=a", 422, "repeated"},
				{"/", typeForm, goodForm + "&client_secret=canary-secret", 422, "repeated"},
				{"/?client_id=crm&client_secret=canary-secret", typeForm, "", 422, "query"},
				{"/?client_secret=canary-secret", typeForm, "client_id=crm", 422, "query"},
				{"/", typeJSON, `{"client_id":"crm"}`, 422, "Content-Type must be application/x-www-form-urlencoded"},
				{"/", typeForm, goodForm + "&x=" + strings.Repeat("x", 16<<10), 413, "16384 bytes"},
			} {
				w := send(handler, http.MethodPost, row.target, row.contentType, row.body)
				require.Equal(t, row.status, w.Code, "%s: %s", row.body, w.Body)
				require.Contains(t, w.Body.String(), row.says)
			}
		})
	}
}

// On a real connection a body that was closed cannot be read again, and a chunked body says nothing of its length.
func TestFormsOnARealConnection(t *testing.T) {
	for name, middleware := range middlewares {
		server := httptest.NewServer(behind(middleware, newTokens(t)))
		for body, status := range map[string]int{
			goodForm: 200, goodForm + "x": 401, goodForm + "&x=" + strings.Repeat("x", 16<<10): 413,
		} {
			for _, content := range []io.Reader{strings.NewReader(body), io.MultiReader(strings.NewReader(body))} {
				response, err := http.Post(server.URL, typeForm, content)
				require.NoError(t, err)
				require.NoError(t, response.Body.Close())
				require.Equal(t, status, response.StatusCode, name)
			}
		}
		server.Close()
	}
}

// brokenBody ends before its end.
type brokenBody struct{ io.Reader }

func (b brokenBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func (brokenBody) Close() error { return nil }

func TestBodyThatBreaksOff(t *testing.T) {
	for _, text := range []string{"", "client_id=crm", goodForm} {
		r := httptest.NewRequest(http.MethodPost, "/", brokenBody{strings.NewReader(text)})
		r.Header.Set("Content-Type", typeForm)
		w := httptest.NewRecorder()
		newTokens(t).ServeHTTP(w, r)
		requireEnvelope(t, http.StatusUnprocessableEntity, w)
		require.Contains(t, w.Body.String(), "could not be read to its end")
	}
}

// OAuth has no multipart forms, parsed or not.
func TestMultipartForm(t *testing.T) {
	const body = "--x\r\nContent-Disposition: form-data; name=\"client_id\"\r\n\r\ncrm\r\n" +
		"--x\r\nContent-Disposition: form-data; name=\"client_secret\"\r\n\r\ncanary-secret\r\n--x--\r\n"
	for name, middleware := range middlewares {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
		w := httptest.NewRecorder()
		behind(middleware, newTokens(t)).ServeHTTP(w, r)
		requireEnvelope(t, http.StatusUnprocessableEntity, w)
		require.Contains(t, w.Body.String(), "the Content-Type must be application/x-www-form-urlencoded", name)
	}
}

func TestContentTypesOfJSON(t *testing.T) {
	c := newRedeemDesk(t)
	for contentType, status := range map[string]int{
		"application/json": 200, "application/json; charset=utf-8": 200, "application/json; charset=utf8": 200,
		"application/json;charset=UTF8": 200, "application/json; charset=latin1": 422, "text/json": 422,
		"application/json; charset=utf-16": 422,
	} {
		w := post(c.handler, contentType, `{"token":"`+c.link(t, create)+`"}`)
		require.Equal(t, status, w.Code, contentType)
	}
}

func TestByteOrderMark(t *testing.T) {
	c := newRedeemDesk(t)
	w := post(c.handler, typeJSON, "\ufeff"+`{"token":"`+c.link(t, create)+`"}`)
	requireEnvelope(t, http.StatusUnprocessableEntity, w)
	require.Contains(t, w.Body.String(), "byte order mark")
}

// Everybody may call the route that redeems links, so it reads little.
func TestBodyOfAnUnknownCallerIsSmall(t *testing.T) {
	c := newRedeemDesk(t)
	body := `{"token":"` + c.link(t, create) + `"}`
	requireEnvelope(t, http.StatusRequestEntityTooLarge, post(c.handler, typeJSON, body+strings.Repeat(" ", 16<<10)))
	require.Equal(t, http.StatusOK, post(c.handler, typeJSON, body+strings.Repeat(" ", 16<<10-len(body))).Code)
}

// countingBody counts what is read of it.
type countingBody struct {
	io.Reader
	read int
}

func (b *countingBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	b.read += n
	return n, err
}

func (*countingBody) Close() error { return nil }

// Nothing of a body is read before the caller of the issuing route is authenticated.
func TestCallersAreAuthenticatedBeforeTheBody(t *testing.T) {
	handler, body := newIssueHandler(t), &countingBody{Reader: strings.NewReader(goodBody)}
	r := httptest.NewRequest(http.MethodPost, "/", body)
	r.Header.Set("Content-Type", typeJSON)
	r.Header.Set("Authorization", "Bearer x")
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	requireEnvelope(t, http.StatusUnauthorized, w)
	require.Zero(t, body.read)
}
