package httpadapter

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/strictjson"
)

// retryAfter is how long a 503 asks a client to wait.
const retryAfter = 2 * time.Second

var retryAfterSeconds = strconv.Itoa(int(retryAfter / time.Second))

// drainTime is how long an answer waits for a body that nobody will read. A body that is already there needs no time.
const drainTime = 250 * time.Millisecond

// problem is an answer that is not a success.
type problem struct {
	status      int
	code        string // the "error" member: a sentence, or an OAuth code with the sentence in description
	description string
	data        any
	challenge   string        // WWW-Authenticate
	allow       string        // Allow
	retryAfter  time.Duration // Retry-After; a 503 without it has its own
	cause       error         // logged, never sent
}

type envelope struct {
	Error       string `json:"error"`
	Description string `json:"error_description,omitempty"`
	Data        any    `json:"data"`
}

type success struct {
	Data any `json:"data"`
}

// fieldData is the data of a 422.
type fieldData struct {
	Fields []magiclink.FieldError `json:"fields"`
}

// malformed is the answer to a request that could not be read. The list of fields is empty then, and not null.
func malformed(fault *bodyFault) *problem {
	p := &problem{status: fault.Status, code: fault.Reason}
	if fault.Status == http.StatusUnprocessableEntity {
		p.data = fieldData{Fields: []magiclink.FieldError{}}
	}
	return p
}

func unavailable(cause error) *problem {
	return &problem{
		status: http.StatusServiceUnavailable, code: "temporarily unavailable, try again later", cause: cause,
		retryAfter: retryAfter,
	}
}

// precedesBody reports whether the answer may be given before the body was read.
func (p *problem) precedesBody() bool {
	switch p.status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusMethodNotAllowed, http.StatusRequestEntityTooLarge,
		http.StatusTooManyRequests:
		return true
	}
	return false
}

func (p *problem) write(w http.ResponseWriter, r *http.Request, logger *slog.Logger) {
	header := w.Header()
	if p.precedesBody() && r.ContentLength != 0 {
		// net/http reads the rest of the body before it sends the answer, so that the connection can be used again.
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(drainTime)) // a writer without one waits for nobody
	}
	if p.challenge != "" {
		header.Set("WWW-Authenticate", p.challenge)
	}
	if p.allow != "" {
		header.Set("Allow", p.allow)
	}
	if p.retryAfter > 0 {
		seconds := (p.retryAfter + time.Second - 1) / time.Second
		header.Set("Retry-After", strconv.FormatInt(int64(seconds), 10))
	}
	if p.status == http.StatusServiceUnavailable {
		level := slog.LevelError
		if r.Context().Err() != nil {
			level = slog.LevelDebug // the client has gone, which is no outage
		}
		logger.Log(r.Context(), level, "magiclink: answered 503", "error", p.cause)
	}
	writeJSON(w, p.status, envelope{Error: p.code, Description: p.description, Data: p.data})
}

// writeJSON leaves "&" as it is, since links are full of it.
func writeJSON(w http.ResponseWriter, status int, body any) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(body) // strings, numbers and lists of them, which can always be encoded
	writeText(w, status, text.Bytes())
}

// writeLink is writeJSON for the most frequent answer. Its buffer is not used again for another answer: a middleware that wrongly keeps
// what it is given to write would send somebody else's link.
func writeLink(w http.ResponseWriter, link magiclink.MagicLinkResponse) {
	text := make([]byte, 0, len(link.MagicLink)+len(link.MagicLinkID)+64)
	text = append(text, `{"data":{"magic_link":`...)
	text = strictjson.AppendString(text, link.MagicLink)
	text = append(text, `,"magic_link_id":`...)
	text = strictjson.AppendString(text, link.MagicLinkID)
	text = append(text, "}}\n"...)
	writeText(w, http.StatusCreated, text)
}

func writeText(w http.ResponseWriter, status int, text []byte) {
	header, values := w.Header(), []string{mediaJSON, "no-store", "nosniff", strconv.Itoa(len(text))} // one allocation for all
	header["Content-Type"] = values[0:1:1]
	header["Cache-Control"] = values[1:2:2]
	header["X-Content-Type-Options"] = values[2:3:3]
	header["Content-Length"] = values[3:4:4]
	w.WriteHeader(status)
	_, _ = w.Write(text) // a client that has gone needs no answer
}

// orNull returns nil for the empty string, which is null in JSON.
func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
