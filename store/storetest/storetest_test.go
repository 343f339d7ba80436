package storetest_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/storetest"
)

func TestRunPassesARightStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) magiclink.Store { return newFlawed("") })
}

func TestRunPassesAStoreThatForgets(t *testing.T) {
	storetest.Run(t, func(*testing.T) magiclink.Store { return &forgetful{newFlawed("")} })
}

// caught says which cases have to notice each flaw. Others may notice it too.
var caught = map[flaw][]string{
	"a field is dropped":                            {"RoundTrip/AllFields"},
	"the session timeout is kept in minutes":        {"RoundTrip/AllFields"},
	"the session timeout is kept to the nanosecond": {"RoundTrip/FinerThanMillisecond"},
	"text is trimmed":                               {"RoundTrip/Text"},
	"text ends at a NUL":                            {"RoundTrip/Text"},
	"times are kept to the second":                  {"RoundTrip/AllFields"},
	"times are rounded to the millisecond":          {"RoundTrip/FinerThanMillisecond"},
	"times are kept to the nanosecond":              {"RoundTrip/FinerThanMillisecond", "Consume/FinerThanMillisecond"},
	"times come back in another location":           {"RoundTrip/AllFields", "RoundTrip/Location"},
	"the zero time becomes the zero of Unix":        {"RoundTrip/EmptyFields"},
	"Create drops the events":                       {"RoundTrip/Events", "Consume/VerdictOrderAsCreated"},
	"Create overwrites":                             {"Create/Exists", "Create/ExistsInAnyState", "Race/Create"},
	"Create revives a used link":                    {"Create/ExistsInAnyState"},
	"Create overwrites and reports ErrExists":       {"Create/Exists"},
	"Create is silent about an id that is taken":    {"Create/Exists", "Race/Create"},
	"Create checks, then writes":                    {"Race/Create"},
	"Create ignores an ended context":               {"Context/Create"},
	"Get returns an empty record for an unknown id": {"Get/NotFound"},
	"Get names an unknown id in the record":         {"Get/NotFound"},
	"Get hides used links":                          {"Consume/Once", "RoundTrip/Events"},
	"Get ignores an ended context":                  {"Context/Get"},
	"ids match without regard to case":              {"Get/NotFound", "Get/OtherRecords"},
	"Consume checks, then writes":                   {"Race/Consume"},
	"Consume persists nothing":                      {"Consume/Once", "Race/Consume"},
	"Consume returns the record as it was":          {"Consume/Once", "Race/Consume"},
	"Consume ignores expiry":                        {"Consume/ExpiryBoundary", "Consume/VerdictOrder"},
	"Consume ignores revocation":                    {"Revoke/Live", "Consume/VerdictOrder"},
	"Consume takes the time from its own clock":     {"Consume/CallersClock"},
	"Consume ignores an ended context":              {"Context/Consume"},
	"a refused Consume returns the record":          {"Consume/Once", "Consume/VerdictOrder"},
	"a late Consume uses up the link":               {"Consume/RefusalChangesNothing"},
	"a second Consume renews the time":              {"Consume/Once"},
	"expiry is judged by the store's own clock":     {"Consume/ExpiryBoundary"},
	"the link lives through the moment of expiry":   {"Consume/ExpiryBoundary"},
	"the link dies a millisecond early":             {"Consume/ExpiryBoundary"},
	"times are compared before they are cut":        {"Consume/FinerThanMillisecond"},
	"ErrExpired comes first":                        {"Consume/VerdictOrder", "Consume/VerdictOrderAsCreated"},
	"ErrExpired comes before ErrConsumed":           {"Consume/VerdictOrder", "Consume/VerdictOrderAsCreated"},
	"ErrConsumed comes before ErrRevoked":           {"Consume/VerdictOrder", "Consume/VerdictOrderAsCreated"},
	"Revoke of an unknown id succeeds":              {"Revoke/NotFound"},
	"Revoke of an unknown id leaves a mark":         {"Revoke/NotFound"},
	"Revoke refuses used links":                     {"Revoke/Consumed", "Race/ConsumeAndRevoke"},
	"Revoke refuses expired links":                  {"Revoke/Expired"},
	"Revoke refuses revoked links":                  {"Revoke/Again", "Race/Revoke"},
	"Revoke renews the time":                        {"Revoke/Again"},
	"Revoke clears the use":                         {"Revoke/Consumed"},
	"Revoke writes back what it read before":        {"Race/ConsumeAndRevoke"},
	"Revoke ignores an ended context":               {"Context/Revoke"},
	"an ended context gets an error of its own":     {"Context/Create", "Context/Get", "Context/Consume", "Context/Revoke"},
	"an ended context has an unknown outcome":       {"Context/Create", "Context/Consume", "Context/Purge"},
	"Purge ignores an ended context":                {"Context/Purge"},
	"Purge ignores the limit":                       {"Purge/Limit"},
	"Purge takes any limit":                         {"Purge/LimitBelowOne"},
	"Purge stops early":                             {"Purge/Expired", "Purge/Limit"},
	"Purge reports the limit":                       {"Purge/Expired", "Purge/Empty"},
	"Purge reports nothing":                         {"Purge/Limit"},
	"Purge removes more than it reports":            {"Purge/Limit"},
	"Purge removes nothing":                         {"Purge/Expired", "Purge/FreesTheID"},
	"Purge removes used links":                      {"Purge/KeepsTheLiving"},
	"Purge removes revoked links":                   {"Purge/KeepsTheLiving"},
	"Purge keeps used links":                        {"Purge/Expired"},
	"Purge leaves the use behind":                   {"Purge/FreesTheID"},
	"Purge removes everything":                      {"Purge/KeepsTheLiving", "Purge/Boundary"},
	"Purge takes the moment itself":                 {"Purge/Boundary"},
	"Purge goes by its own clock":                   {"Purge/CallersClock"},
}

func TestRunCatchesFlaws(t *testing.T) {
	for f, names := range caught {
		t.Run(string(f), func(t *testing.T) {
			for _, name := range names {
				require.True(t, noticed(t, name, f), "the case %s must notice the flaw", name)
			}
		})
	}
}

// noticed reports whether a case notices a flaw. A race may be won by chance, so that those cases get some attempts.
func noticed(t *testing.T, name string, f flaw) bool {
	attempts := 1
	if strings.HasPrefix(name, "Race/") {
		attempts = 10
	}
	for range attempts {
		if len(failures(t.Context(), name, newFlawed(f))) > 0 {
			return true
		}
	}
	return false
}

// Every case is there for a flaw: one that notices none of them could be removed and nobody would see.
func TestEveryCaseCatchesSomething(t *testing.T) {
	for _, name := range storetest.CaseNames() {
		t.Run(name, func(t *testing.T) {
			for f := range caught {
				if noticed(t, name, f) {
					return
				}
			}
			require.Fail(t, "no flaw is noticed by this case")
		})
	}
}

// forgetful forgets a record as soon as its expiry has passed on the real clock, as an engine with keys that expire
// does. Its Purge has nothing to do.
type forgetful struct{ *flawed }

func (s *forgetful) forget() {
	_, _ = s.flawed.Purge(context.Background(), time.Now(), 1<<30)
}

func (s *forgetful) Create(ctx context.Context, r magiclink.Record) error {
	s.forget()
	defer s.forget()
	return s.flawed.Create(ctx, r)
}

func (s *forgetful) Purge(ctx context.Context, _ time.Time, limit int) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if limit < 1 {
		return s.flawed.Purge(ctx, time.Time{}, limit)
	}
	return 0, nil
}
