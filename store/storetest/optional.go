package storetest

import "github.com/magiclink-go/magiclink"

// optionalCases check the optional interfaces. A case is skipped for a store in which [magiclink.StoreAs] does not find the
// interface.
var optionalCases = []testCase{
	listCase("List/Fields", listFields),
	listCase("List/Order", listOrder),
	listCase("List/Pages", listPages),
	listCase("List/PagesBesideCreatePurge", listPagesBesideCreatePurge),
	listCase("List/Tenants", listTenants),
	listCase("List/HostileCursors", listHostileCursors),
	listCase("List/Filters", listFilters),
	listCase("List/States", listStates),
	listCase("List/Issued", listIssued),
	listCase("List/Refusals", listRefusals),
	listCase("List/Context", listContext),
	listCase("Race/ListAndCreate", raceListAndCreate),
	revokerCase("RevokeSubject/EveryState", revokeSubjectEveryState),
	revokerCase("RevokeSubject/Which", revokeSubjectWhich),
	revokerCase("RevokeSubject/IssuedUpTo", revokeSubjectIssuedUpTo),
	revokerCase("RevokeSubject/Again", revokeSubjectAgain),
	revokerCase("RevokeSubject/Many", revokeSubjectMany),
	revokerCase("RevokeSubject/Refusals", revokeSubjectRefusals),
	revokerCase("RevokeSubject/Context", revokeSubjectContext),
	revokerCase("Race/RevokeSubject", raceRevokeSubject),
	limiterCase("Limit/Burst", limitBurst),
	limiterCase("Limit/Idle", limitIdle),
	limiterCase("Limit/Keys", limitKeys),
	limiterCase("Limit/Rule", limitRule),
	limiterCase("Limit/ClockSetBack", limitClockSetBack),
	limiterCase("Limit/ClocksThatDiffer", limitClocksThatDiffer),
	limiterCase("Limit/Purge", limitPurge),
	limiterCase("Limit/Reset", limitReset),
	limiterCase("Limit/Refusals", limitRefusals),
	limiterCase("Limit/Context", limitContext),
	limiterCase("Race/Limit", raceLimit),
	limiterCase("Limit/Peek", limitPeek),
	limiterCase("Limit/PeekRefusals", limitPeekRefusals),
}

func listCase(name string, check func(tester, magiclink.Store, magiclink.Lister)) testCase {
	return optionalCase(name, "Lister", check)
}

func revokerCase(name string, check func(tester, magiclink.Store, magiclink.SubjectRevoker)) testCase {
	return optionalCase(name, "SubjectRevoker", check)
}

func limiterCase(name string, check func(tester, magiclink.Store, magiclink.Limiter)) testCase {
	return optionalCase(name, "Limiter", check)
}

func optionalCase[T any](name, wanted string, check func(tester, magiclink.Store, T)) testCase {
	return testCase{name, func(t tester, s magiclink.Store) {
		found, ok := magiclink.StoreAs[T](s)
		if !ok {
			t.Skipf("the store is no %s", wanted)
		}
		check(t, s, found)
	}}
}
