package mail

import (
	"encoding/json"
	"fmt"
	"log/slog"
)

// String leaves out everything that the mail says.
func (r Rendered) String() string { return fmt.Sprintf("Rendered{Language:%q}", r.Language) }

// GoString is String, for the verb %#v.
func (r Rendered) GoString() string { return r.String() }

// LogValue implements [slog.LogValuer]. It leaves out everything that the mail says.
func (r Rendered) LogValue() slog.Value { return slog.GroupValue(slog.String("language", r.Language)) }

// MarshalJSON leaves out everything that the mail says, since slog writes the fields of a struct as JSON.
func (r Rendered) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]string{"language": r.Language})
}

// String leaves out the password.
func (c Config) String() string { return fmt.Sprintf("Config{From:%q}", c.From) }

// GoString is String, for the verb %#v.
func (c Config) GoString() string { return c.String() }

// LogValue implements [slog.LogValuer]. It leaves out the password.
func (c Config) LogValue() slog.Value { return slog.GroupValue(slog.String("from", c.From)) }

// MarshalJSON leaves out the password, since slog writes the fields of a struct as JSON.
func (c Config) MarshalJSON() ([]byte, error) { return json.Marshal(map[string]string{"from": c.From}) }

// String leaves out the password.
func (m *Mailer) String() string {
	if m == nil {
		return "Mailer{}"
	}
	return "Mailer{" + m.server.host + "}"
}

// GoString is String, for the verb %#v.
func (m *Mailer) GoString() string { return m.String() }
