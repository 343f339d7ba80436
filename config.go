package magiclink

import (
	"log/slog"
	"strings"
	"time"
)

// ConfigError is one fault of a configuration.
type ConfigError struct {
	Field  string // the name of the struct's field
	Reason string // what is wrong, and what would be right
}

func (e *ConfigError) Error() string { return e.Field + " " + e.Reason }

// ConfigErrors is every fault of a configuration. [errors.As] finds it as a whole, and by Unwrap each [*ConfigError].
type ConfigErrors []*ConfigError

// Error lists all faults in one line.
func (e ConfigErrors) Error() string {
	faults := make([]string, 0, len(e))
	for _, fault := range e {
		faults = append(faults, fault.Error())
	}
	return "magiclink: invalid configuration: " + strings.Join(faults, "; ")
}

// Unwrap returns the single faults.
func (e ConfigErrors) Unwrap() []error {
	errs := make([]error, 0, len(e))
	for _, fault := range e {
		errs = append(errs, fault)
	}
	return errs
}

// Add notes a fault. It is for packages that check a configuration of their own in the same way.
func (e *ConfigErrors) Add(field, reason string) {
	*e = append(*e, &ConfigError{Field: field, Reason: reason})
}

// Err returns the faults as an error, or nil if there is none.
func (e ConfigErrors) Err() error {
	if len(e) == 0 {
		return nil
	}
	return e
}

func (c Config) check() (route, error) {
	var faults ConfigErrors
	to := checkRoute(&faults, c.BaseURL)
	checkKeys(&faults, c.Keys)
	if c.Keys != nil && len(c.Keys.Keys()) > 0 && !c.Keys.CanSign() {
		faults.Add("Keys", "has no key that can sign")
	}
	if c.Store == nil {
		faults.Add("Store", "is required: see the packages store/memory and store/sqlite")
	}
	checkNames(&faults, c.Issuer, c.Audience)
	if reason := checkSession(c.MaxSessionTimeout); reason != "" {
		faults.Add("MaxSessionTimeout", reason)
	}
	return to, faults.Err()
}

func checkRoute(faults *ConfigErrors, base string) route {
	to, err := parseRoute(base)
	if err != nil {
		faults.Add("BaseURL", err.Error())
	}
	return to
}

func checkKeys(faults *ConfigErrors, keys *Keyring) {
	if keys == nil {
		faults.Add("Keys", "is required: make one with GenerateKeyring or LoadKeyring")
	} else if len(keys.load().keys) == 0 {
		faults.Add("Keys", "is empty")
	}
}

func checkLeeway(faults *ConfigErrors, leeway time.Duration) {
	if leeway < 0 || leeway > maxLeeway {
		faults.Add("Leeway", "must be between 0 and one minute")
	}
}

// checkNames keeps the names in a token short enough for one, and such that they can be read back.
func checkNames(faults *ConfigErrors, issuer, audience string) {
	const maxLength = 512 // bytes
	for field, name := range map[string]string{"Issuer": issuer, "Audience": audience} {
		if len(name) > maxLength || !plainText(name) {
			faults.Add(field, "must be at most 512 bytes of UTF-8 without control characters")
		}
	}
}

func checkSession(longest time.Duration) string {
	switch {
	case longest < 0:
		return "must not be negative"
	case longest%time.Second != 0:
		return "must be whole seconds"
	case longest > maxSessionTimeout*time.Second:
		return "must be at most 7948800 seconds, the maximum of the spec"
	}
	return ""
}

func (c Config) withDefaults(to route) Config {
	if c.Issuer == "" {
		c.Issuer = to.origin
	}
	if c.Audience == "" {
		c.Audience = to.origin
	}
	if c.MaxSessionTimeout == 0 {
		c.MaxSessionTimeout = maxSessionTimeout * time.Second
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}
