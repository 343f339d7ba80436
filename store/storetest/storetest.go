// Package storetest checks an implementation of [magiclink.Store] against its contract. A store is right when it
// passes:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) magiclink.Store { return mystore.New(...) })
//	}
//
// Each failure names the rule that was broken. The suite uses only the public interface and the standard library, and it
// sleeps nowhere.
//
// The suite also checks each optional interface that [magiclink.StoreAs] finds in the store: [magiclink.Lister],
// [magiclink.SubjectRevoker], [magiclink.Limiter] and [magiclink.LimitPeeker]. It skips the cases of those that it does not find.
//
// The suite takes its times from the real clock, so that it also suits an engine whose keys expire. A link that must be
// live expires in an hour. A link that must have expired is consumed at a time after its expiry. Once the
// [magiclink.Record.End] of a record has passed on the real clock, the suite accepts a store that has forgotten the record.
//
// The suite does not check durability, nor that a call that panics or hangs stops no other call: that needs tests that know
// the engine.
package storetest

import (
	"context"
	"slices"
	"testing"

	"github.com/magiclink-go/magiclink"
)

// Run runs the suite as subtests of t. It runs each case twice: with a store that newStore returned, and, below "Wrapped/",
// with a store that hides a second one behind a method Unwrap, as a wrapper that adds metrics does (see
// [magiclink.StoreAs]).
//
// Run calls newStore once for each subtest, with the subtest's t. NewStore returns an empty store that shares no records
// with any other store, and frees with t.Cleanup what it has opened. Run the suite under the race detector too: the
// detector sees what a lucky order of calls hides.
func Run(t *testing.T, newStore func(t *testing.T) magiclink.Store) {
	t.Helper()
	for _, c := range everyCase() {
		t.Run(c.name, func(t *testing.T) { c.check(t, newStore(t)) })
	}
}

// tester is what a case needs of *testing.T. The suite's own tests pass a recorder instead.
type tester interface {
	Helper()
	Context() context.Context
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Skipf(format string, args ...any)
}

// testCase checks one rule, or a few rules that belong together. Its name is the name of the subtest.
type testCase struct {
	name  string
	check func(t tester, s magiclink.Store)
}

var cases = []testCase{
	{"RoundTrip/AllFields", roundTripAllFields},
	{"RoundTrip/EmptyFields", roundTripEmptyFields},
	{"RoundTrip/Text", roundTripText},
	{"RoundTrip/Extension", roundTripExtension},
	{"RoundTrip/Events", roundTripEvents},
	{"RoundTrip/Location", roundTripLocation},
	{"RoundTrip/FinerThanMillisecond", roundTripFiner},
	{"Create/Exists", createExists},
	{"Create/ExistsInAnyState", createExistsInAnyState},
	{"Get/NotFound", getNotFound},
	{"Get/OtherRecords", getOtherRecords},
	{"Consume/Once", consumeOnce},
	{"Consume/NotFound", consumeNotFound},
	{"Consume/SameBy", consumeSameBy},
	{"Consume/SameByRevoked", consumeSameByRevoked},
	{"Consume/OtherBy", consumeOtherBy},
	{"Consume/EmptyBy", consumeEmptyBy},
	{"Consume/KeepsBy", consumeKeepsBy},
	{"Consume/VerdictOrder", consumeVerdictOrder},
	{"Consume/VerdictOrderAsCreated", consumeVerdictOrderAsCreated},
	{"Consume/ExpiryBoundary", consumeExpiryBoundary},
	{"Consume/FinerThanMillisecond", consumeFiner},
	{"Consume/CallersClock", consumeCallersClock},
	{"Consume/RefusalChangesNothing", consumeRefusalChangesNothing},
	{"Consume/ZeroTime", consumeZeroTime},
	{"Revoke/Live", revokeLive},
	{"Revoke/Again", revokeAgain},
	{"Revoke/Consumed", revokeConsumed},
	{"Revoke/Expired", revokeExpired},
	{"Revoke/NotFound", revokeNotFound},
	{"Revoke/ZeroTime", revokeZeroTime},
	{"Race/Consume", raceConsume},
	{"Race/ConsumeMany", raceConsumeMany},
	{"Race/ConsumeSameBy", raceConsumeSameBy},
	{"Race/ConsumeAndRevoke", raceConsumeAndRevoke},
	{"Race/ConsumeAndPurge", raceConsumeAndPurge},
	{"Race/Create", raceCreate},
	{"Race/Revoke", raceRevoke},
	{"Context/Create", contextCreate},
	{"Context/Get", contextGet},
	{"Context/Consume", contextConsume},
	{"Context/Revoke", contextRevoke},
	{"Context/Purge", contextPurge},
	{"Purge/Expired", purgeExpired},
	{"Purge/Boundary", purgeBoundary},
	{"Purge/Limit", purgeLimit},
	{"Purge/LimitBelowOne", purgeLimitBelowOne},
	{"Purge/KeepsTheLiving", purgeKeepsTheLiving},
	{"Purge/KeepsSessions", purgeKeepsSessions},
	{"Purge/EndedSessions", purgeEndedSessions},
	{"Purge/RevokedSessions", purgeRevokedSessions},
	{"Purge/CallersClock", purgeCallersClock},
	{"Purge/Empty", purgeEmpty},
	{"Purge/FreesTheID", purgeFreesTheID},
}

// everyCase returns the cases as they are, and each of them again with a wrapped store.
func everyCase() []testCase {
	plain := slices.Concat(cases, optionalCases)
	all := slices.Clone(plain)
	for _, c := range plain {
		all = append(all, testCase{"Wrapped/" + c.name, func(t tester, s magiclink.Store) { c.check(t, wrapper{s}) }})
	}
	return all
}

// wrapper has the methods of Store and Unwrap. It hides every other method of the store inside, which only
// [magiclink.StoreAs] finds.
type wrapper struct{ magiclink.Store }

func (w wrapper) Unwrap() magiclink.Store { return w.Store }
