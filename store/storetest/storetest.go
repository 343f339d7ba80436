// Package storetest checks an implementation of [magiclink.Store] against its contract. A store is right when it
// passes:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) magiclink.Store { return mystore.New(...) })
//	}
//
// Each failure names the rule that was broken. The suite uses nothing but the public interface and the standard
// library, sleeps nowhere, and takes its times from the real clock: links that have to be alive expire in an hour, so
// that an engine with an expiry of its own keeps them; links that have to be expired are asked about with a later time.
// Where a link's expiry has passed on the real clock the suite accepts a store that has forgotten it.
package storetest

import (
	"context"
	"testing"

	"github.com/magiclink-go/magiclink"
)

// Run runs the suite as subtests of t, each against a fresh store. newStore returns an empty store and arranges with
// t.Cleanup for what has to be freed. Run under the race detector it checks the rules of concurrency more sharply.
func Run(t *testing.T, newStore func(t *testing.T) magiclink.Store) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { c.check(t, newStore(t)) })
	}
}

// tester is what a case needs of *testing.T. The suite's own tests put a recorder in its place.
type tester interface {
	Helper()
	Context() context.Context
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// testCase is one rule or a few that belong together. Its name is the name of the subtest.
type testCase struct {
	name  string
	check func(t tester, s magiclink.Store)
}

var cases = []testCase{
	{"RoundTrip/AllFields", roundTripAllFields},
	{"RoundTrip/EmptyFields", roundTripEmptyFields},
	{"RoundTrip/Text", roundTripText},
	{"RoundTrip/Events", roundTripEvents},
	{"RoundTrip/Location", roundTripLocation},
	{"RoundTrip/FinerThanMillisecond", roundTripFiner},
	{"Create/Exists", createExists},
	{"Create/ExistsInAnyState", createExistsInAnyState},
	{"Get/NotFound", getNotFound},
	{"Get/OtherRecords", getOtherRecords},
	{"Consume/Once", consumeOnce},
	{"Consume/NotFound", consumeNotFound},
	{"Consume/VerdictOrder", consumeVerdictOrder},
	{"Consume/VerdictOrderAsCreated", consumeVerdictOrderAsCreated},
	{"Consume/ExpiryBoundary", consumeExpiryBoundary},
	{"Consume/FinerThanMillisecond", consumeFiner},
	{"Consume/CallersClock", consumeCallersClock},
	{"Consume/RefusalChangesNothing", consumeRefusalChangesNothing},
	{"Revoke/Live", revokeLive},
	{"Revoke/Again", revokeAgain},
	{"Revoke/Consumed", revokeConsumed},
	{"Revoke/Expired", revokeExpired},
	{"Revoke/NotFound", revokeNotFound},
	{"Race/Consume", raceConsume},
	{"Race/ConsumeAndRevoke", raceConsumeAndRevoke},
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
	{"Purge/CallersClock", purgeCallersClock},
	{"Purge/Empty", purgeEmpty},
	{"Purge/FreesTheID", purgeFreesTheID},
}
