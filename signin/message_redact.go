package signin

import (
	"encoding/json"
	"fmt"
	"log/slog"
)

// String returns the kind and the language alone: link and code are credentials, and the rest is personal.
func (m Message) String() string {
	return fmt.Sprintf("Message{Kind:%s Language:%q}", m.Kind, m.Language)
}

// GoString is String, for the verb %#v.
func (m Message) GoString() string { return m.String() }

// LogValue implements [slog.LogValuer]. It has the kind and the language alone.
func (m Message) LogValue() slog.Value {
	return slog.GroupValue(slog.String("kind", string(m.Kind)), slog.String("language", m.Language))
}

// MarshalJSON writes the kind and the language alone, since slog writes the fields of a struct as JSON.
func (m Message) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Kind     Kind   `json:"kind"`
		Language string `json:"language"`
	}{m.Kind, m.Language})
}
