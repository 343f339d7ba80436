package signin

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/webform"
)

// retryAfterSeconds is how long a 503 asks a client to wait.
const retryAfterSeconds = "2"

type envelope struct {
	Error *string `json:"error,omitempty"`
	Data  any     `json:"data"`
}

func writeData(w http.ResponseWriter, status int, data any) {
	writeJSON(w, status, envelope{Data: data})
}

func writeError(w http.ResponseWriter, status int, sentence string, data any) {
	writeJSON(w, status, envelope{Error: &sentence, Data: data})
}

// writeFault answers a body that could not be read. The list of fields of a 422 is empty then, and not null.
func writeFault(w http.ResponseWriter, fault *webform.Fault) {
	var data any
	if fault.Status == http.StatusUnprocessableEntity {
		data = struct {
			Fields []magiclink.FieldError `json:"fields"`
		}{[]magiclink.FieldError{}}
	}
	writeError(w, fault.Status, fault.Reason, data)
}

// unavailable answers an outage. The cause is logged and never sent.
func unavailable(w http.ResponseWriter, r *http.Request, logger *slog.Logger, cause error) {
	level := slog.LevelError
	if r.Context().Err() != nil {
		level = slog.LevelDebug // the client has gone, which is no outage
	}
	logger.Log(r.Context(), level, "magiclink: answered 503", "error", cause)
	w.Header().Set("Retry-After", retryAfterSeconds)
	writeError(w, http.StatusServiceUnavailable, "temporarily unavailable, try again later", nil)
}

func notFound(w http.ResponseWriter) {
	writeError(w, http.StatusNotFound, "there is nothing at this path", nil)
}

// writeJSON leaves "&" as it is, since flows and links are full of it.
func writeJSON(w http.ResponseWriter, status int, body any) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(body) // strings and lists of them, which can always be encoded
	header := w.Header()
	header.Set("Content-Type", webform.MediaJSON)
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Length", strconv.Itoa(text.Len()))
	w.WriteHeader(status)
	_, _ = w.Write(text.Bytes()) // a client that has gone needs no answer
}

// orNull returns nil for the empty string, which is null in JSON.
func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
