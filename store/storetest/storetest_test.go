package storetest_test

import (
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"

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

// Run gives each case a new store, and each wrapped case another one.
func TestRunMakesAStoreForEachCase(t *testing.T) {
	var made []string
	t.Run("run", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) magiclink.Store {
			made = append(made, strings.TrimPrefix(t.Name(), "TestRunMakesAStoreForEachCase/run/"))
			return newFlawed("")
		})
	})
	require.Equal(t, storetest.CaseNames(), made)
	plain, wrapped := made[:len(made)/2], made[len(made)/2:]
	for i, name := range plain {
		require.Equal(t, "Wrapped/"+name, wrapped[i])
	}
}

// plain has no optional interface.
type plain struct{ magiclink.Store }

func TestRunSkipsWhatAStoreIsNot(t *testing.T) {
	storetest.Run(t, func(*testing.T) magiclink.Store { return plain{newFlawed("")} })
}

// pinger is an optional interface. A wrapped store has it only if StoreAs looks inside.
type pinger interface{ ping() string }

type pinged struct{ *flawed }

func (pinged) ping() string { return "inside" }

func TestStoreAsFindsTheStoreInsideTheWrapper(t *testing.T) {
	wrapped := storetest.Wrap(storetest.Wrap(pinged{newFlawed("")}))
	_, direct := wrapped.(pinger)
	require.False(t, direct, "the wrapper must hide what is not in Store")

	found, ok := magiclink.StoreAs[pinger](wrapped)
	require.True(t, ok)
	require.Equal(t, "inside", found.ping())

	_, ok = magiclink.StoreAs[pinger](storetest.Wrap(newFlawed("")))
	require.False(t, ok, "no store in the chain has a ping")
}

// caught says which cases must notice each flaw, plain and wrapped. Other cases may notice the flaw too.
var caught = map[flaw][]string{
	"a field is dropped":                                                      {"RoundTrip/AllFields"},
	"the session timeout is kept in minutes":                                  {"RoundTrip/AllFields"},
	"the session timeout is kept to the nanosecond":                           {"RoundTrip/FinerThanMillisecond"},
	"text is trimmed":                                                         {"RoundTrip/Text"},
	"text ends at a NUL":                                                      {"RoundTrip/Text"},
	"Extension is forgotten":                                                  {"RoundTrip/AllFields", "RoundTrip/Extension"},
	"Extension ends at a NUL":                                                 {"RoundTrip/Extension"},
	"Extension becomes valid UTF-8":                                           {"RoundTrip/Extension"},
	"Extension has at most 1000 bytes":                                        {"RoundTrip/Extension"},
	"an empty Extension becomes an object":                                    {"RoundTrip/Extension", "RoundTrip/EmptyFields"},
	"times are kept to the second":                                            {"RoundTrip/AllFields"},
	"times are rounded to the millisecond":                                    {"RoundTrip/FinerThanMillisecond"},
	"times are kept to the nanosecond":                                        {"RoundTrip/FinerThanMillisecond", "Consume/FinerThanMillisecond"},
	"times come back in another location":                                     {"RoundTrip/AllFields", "RoundTrip/Location"},
	"the zero time becomes the zero of Unix":                                  {"RoundTrip/EmptyFields"},
	"Create drops the events":                                                 {"RoundTrip/Events", "Consume/VerdictOrderAsCreated"},
	"Create drops ConsumedBy":                                                 {"RoundTrip/Events", "Consume/VerdictOrderAsCreated"},
	"Create overwrites":                                                       {"Create/Exists", "Create/ExistsInAnyState", "Race/Create"},
	"Create revives a used link":                                              {"Create/ExistsInAnyState"},
	"Create overwrites and reports ErrExists":                                 {"Create/Exists"},
	"Create is silent about an id that is taken":                              {"Create/Exists", "Race/Create"},
	"Create checks, then writes":                                              {"Race/Create"},
	"Create ignores an ended context":                                         {"Context/Create"},
	"Get returns an empty record for an unknown id":                           {"Get/NotFound"},
	"Get names an unknown id in the record":                                   {"Get/NotFound"},
	"Get hides used links":                                                    {"Consume/Once", "RoundTrip/Events"},
	"Get returns no ConsumedBy":                                               {"Consume/Once", "Consume/KeepsBy"},
	"Get ignores an ended context":                                            {"Context/Get"},
	"ids match without regard to case":                                        {"Get/NotFound", "Get/OtherRecords"},
	"Consume checks, then writes":                                             {"Race/Consume", "Race/ConsumeMany"},
	"Consume checks, then writes at once":                                     {"Race/ConsumeMany"},
	"Consume persists nothing":                                                {"Consume/Once", "Race/Consume"},
	"Consume returns the record as it was":                                    {"Consume/Once", "Race/Consume"},
	"Consume returns no Extension":                                            {"Consume/Once", "RoundTrip/Extension"},
	"Consume returns no ConsumedBy":                                           {"Consume/Once", "Consume/SameBy", "Race/Consume"},
	"Consume forgets by":                                                      {"Consume/Once", "Consume/SameBy", "Consume/KeepsBy"},
	"Consume ignores expiry":                                                  {"Consume/ExpiryBoundary", "Consume/VerdictOrder"},
	"Consume ignores revocation":                                              {"Revoke/Live", "Consume/VerdictOrder"},
	"Consume takes the time from its own clock":                               {"Consume/CallersClock"},
	"another by is accepted":                                                  {"Consume/OtherBy", "Consume/Once", "Race/Consume"},
	"the same by is refused":                                                  {"Consume/SameBy", "Consume/VerdictOrder", "Race/ConsumeSameBy"},
	"the same by is judged as expired":                                        {"Consume/SameBy", "Consume/VerdictOrder"},
	"the same by ignores revocation":                                          {"Consume/SameByRevoked", "Consume/VerdictOrder"},
	"the same by renews the time":                                             {"Consume/SameBy", "Race/ConsumeSameBy"},
	"the same by gets the time of its own call":                               {"Consume/SameBy", "Race/ConsumeSameBy"},
	"the same by gets no record":                                              {"Consume/SameBy"},
	"the same by checks, then writes":                                         {"Race/ConsumeSameBy"},
	"a racing same by loses":                                                  {"Race/ConsumeSameBy"},
	"a refused by takes the link over":                                        {"Consume/OtherBy", "Consume/Once"},
	"an empty by is accepted twice":                                           {"Consume/EmptyBy"},
	"an empty by is accepted after a by":                                      {"Consume/OtherBy"},
	"an empty ConsumedBy matches every by":                                    {"Consume/EmptyBy"},
	"by has at most 127 bytes":                                                {"Consume/KeepsBy"},
	"by matches up to a tab":                                                  {"Consume/KeepsBy"},
	"by matches by its first 127 bytes":                                       {"Consume/KeepsBy"},
	"by matches up to a NUL":                                                  {"Consume/OtherBy"},
	"by matches without regard to case":                                       {"Consume/OtherBy"},
	"by matches without the spaces around it":                                 {"Consume/OtherBy"},
	"the zero time consumes":                                                  {"Consume/ZeroTime"},
	"the zero time marks the link as used":                                    {"Consume/ZeroTime"},
	"the zero time passes for the same by":                                    {"Consume/ZeroTime"},
	"the zero time is answered with ErrExpired":                               {"Consume/ZeroTime"},
	"the zero time has an unknown outcome":                                    {"Consume/ZeroTime"},
	"the zero time is refused before times are truncated":                     {"Consume/ZeroTime", "Revoke/ZeroTime"},
	"Consume ignores an ended context":                                        {"Context/Consume"},
	"a refused Consume returns the record":                                    {"Consume/Once", "Consume/VerdictOrder"},
	"a late Consume uses up the link":                                         {"Consume/RefusalChangesNothing"},
	"a second Consume renews the time":                                        {"Consume/Once"},
	"expiry is judged by the store's own clock":                               {"Consume/ExpiryBoundary"},
	"the link is usable at the moment of its expiry":                          {"Consume/ExpiryBoundary"},
	"the link expires a millisecond early":                                    {"Consume/ExpiryBoundary"},
	"times are compared before they are truncated":                            {"Consume/FinerThanMillisecond"},
	"ErrExpired comes first":                                                  {"Consume/VerdictOrder", "Consume/VerdictOrderAsCreated"},
	"ErrExpired comes before ErrConsumed":                                     {"Consume/VerdictOrder", "Consume/VerdictOrderAsCreated"},
	"ErrConsumed comes before ErrRevoked":                                     {"Consume/VerdictOrder", "Consume/VerdictOrderAsCreated"},
	"Revoke of an unknown id succeeds":                                        {"Revoke/NotFound"},
	"Revoke of an unknown id leaves a mark":                                   {"Revoke/NotFound"},
	"Revoke refuses used links":                                               {"Revoke/Consumed", "Race/ConsumeAndRevoke"},
	"Revoke refuses expired links":                                            {"Revoke/Expired"},
	"Revoke refuses revoked links":                                            {"Revoke/Again", "Race/Revoke"},
	"Revoke renews the time":                                                  {"Revoke/Again"},
	"Revoke clears the use":                                                   {"Revoke/Consumed"},
	"Revoke clears ConsumedBy":                                                {"Revoke/Consumed"},
	"the zero time revokes":                                                   {"Revoke/ZeroTime"},
	"the zero time marks the link as revoked":                                 {"Revoke/ZeroTime"},
	"the zero time passes for a revoked link":                                 {"Revoke/ZeroTime"},
	"Revoke writes back what it read before":                                  {"Race/ConsumeAndRevoke"},
	"Revoke ignores an ended context":                                         {"Context/Revoke"},
	"an ended context gets an error of its own":                               {"Context/Create", "Context/Get", "Context/Consume", "Context/Revoke"},
	"an ended context has an unknown outcome":                                 {"Context/Create", "Context/Consume", "Context/Purge"},
	"Purge ignores an ended context":                                          {"Context/Purge"},
	"Purge ignores the limit":                                                 {"Purge/Limit"},
	"Purge takes any limit":                                                   {"Purge/LimitBelowOne"},
	"Purge stops early":                                                       {"Purge/Expired", "Purge/Limit"},
	"Purge reports the limit":                                                 {"Purge/Expired", "Purge/Empty"},
	"Purge reports nothing":                                                   {"Purge/Limit"},
	"Purge removes more than it reports":                                      {"Purge/Limit"},
	"Purge removes nothing":                                                   {"Purge/Expired", "Purge/FreesTheID"},
	"Purge removes used links":                                                {"Purge/KeepsTheLiving"},
	"Purge removes revoked links":                                             {"Purge/KeepsTheLiving"},
	"Purge keeps used links":                                                  {"Purge/Expired", "Purge/EndedSessions"},
	"Purge checks, then removes":                                              {"Race/ConsumeAndPurge"},
	"every record ends at ExpiresAt":                                          {"Purge/KeepsSessions", "Purge/EndedSessions"},
	"a used link ends at ExpiresAt or with its session, whichever is earlier": {"Purge/KeepsSessions"},
	"a used link ends at ExpiresAt or with its session, whichever is later":   {"Purge/EndedSessions"},
	"a session lasts from the creation of the link":                           {"Purge/KeepsSessions"},
	"a revoked session ends like any other":                                   {"Purge/RevokedSessions"},
	"Consume leaves the end as it was":                                        {"Purge/KeepsSessions", "Purge/EndedSessions"},
	"Revoke leaves the end as it was":                                         {"Purge/RevokedSessions"},
	"Purge leaves the use behind":                                             {"Purge/FreesTheID"},
	"Purge removes everything":                                                {"Purge/KeepsTheLiving", "Purge/Boundary"},
	"Purge takes the moment itself":                                           {"Purge/Boundary"},
	"Purge goes by its own clock":                                             {"Purge/CallersClock"},
}

func init() {
	for _, more := range []map[flaw][]string{listFlaws, revokeSubjectFlaws, limitFlaws} {
		maps.Copy(caught, more)
	}
}

func TestRunCatchesFlaws(t *testing.T) {
	for f, names := range caught {
		t.Run(string(f), func(t *testing.T) {
			if f == "Consume checks, then writes at once" && runtime.GOMAXPROCS(0) == 1 {
				t.Skip("no two goroutines run at the same time")
			}
			for _, name := range names {
				require.True(t, noticed(t, name, f), "the case %s must notice the flaw", name)
				require.True(t, noticed(t, "Wrapped/"+name, f), "the case Wrapped/%s must notice the flaw", name)
			}
		})
	}
}

// noticed reports whether a case notices a flaw. Chance decides a race, so that a case with a race gets some attempts.
func noticed(t *testing.T, name string, f flaw) bool {
	attempts := 1
	if strings.HasPrefix(strings.TrimPrefix(name, "Wrapped/"), "Race/") {
		attempts = 10
	}
	for range attempts {
		if len(failures(t.Context(), name, newFlawed(f))) > 0 {
			return true
		}
	}
	return false
}

// Each case must notice a flaw: nobody would miss a case that notices none.
func TestEveryCaseCatchesSomething(t *testing.T) {
	for _, name := range storetest.CaseNames() {
		t.Run(name, func(t *testing.T) {
			for _, own := range []bool{true, false} { // the flaws of the case first: a race that notices nothing takes long
				for f, names := range caught {
					if own == slices.Contains(names, strings.TrimPrefix(name, "Wrapped/")) && noticed(t, name, f) {
						return
					}
				}
			}
			require.Fail(t, "no flaw is noticed by this case")
		})
	}
}
