package magiclink_test

import (
	"context"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

// A zero value and a nil pointer let nobody in and do not panic. Each method that returns an error names the constructor, and
// the other methods return zero values.
func TestValuesThatNoConstructorMade(t *testing.T) {
	f := newFixture(t)
	link, id := f.link(t, fullInput)
	redeemed := f.redeemed(t)
	token, session, err := f.sessions.Grant(t.Context(), redeemed)
	require.NoError(t, err)

	// The arguments are good ones, so that nothing but the value itself is at fault.
	good := map[string][]any{
		"Issue":               {t.Context(), fullInput},
		"IssueJSON":           {t.Context(), magiclink.Caller{}, []byte(withID(`"ttl":5`))},
		"Revoke":              {t.Context(), "tenant-1", id},
		"RevokeAll":           {t.Context(), caller("tenant-1", ""), redeemed.Subject},
		"Get":                 {t.Context(), caller("tenant-1", ""), id},
		"Limits":              {t.Context(), caller("tenant-1", ""), redeemed.Subject},
		"ResetLimit":          {t.Context(), caller("tenant-1", ""), redeemed.Subject},
		"IssueJSONOnce":       {t.Context(), magiclink.Caller{}, "key", []byte(withID(`"ttl":5`))},
		"List of New":         {t.Context(), caller("tenant-1", ""), magiclink.ListQuery{}},
		"List of NewSessions": {t.Context(), session.Subject},
		"Inspect":             {t.Context(), link},
		"InspectID":           {t.Context(), id, "by"},
		"RedeemID":            {t.Context(), id, "by"},
		"Redeem":              {t.Context(), link},
		"RedeemBy":            {t.Context(), link, "by"},
		"Destination":         {redeemed},
		"Grant":               {t.Context(), redeemed},
		"Verify":              {t.Context(), token},
		"End":                 {t.Context(), session},
		"EndAll":              {t.Context(), session.Subject},
		"WithStore":           {f.store},
		"BaseURL":             {}, "CanGrant": {},
	}
	for constructor, values := range map[string][]any{
		"New":         {(*magiclink.Issuer)(nil), new(magiclink.Issuer), (*magiclink.Issuer)(nil).WithStore(f.store), (*magiclink.Issuer)(nil).WithStore(nil)},
		"NewRedeemer": {(*magiclink.Redeemer)(nil), new(magiclink.Redeemer), (*magiclink.Redeemer)(nil).WithStore(f.store), (*magiclink.Redeemer)(nil).WithStore(nil)},
		"NewSessions": {(*magiclink.Sessions)(nil), new(magiclink.Sessions)},
	} {
		for n, value := range values {
			receiver := reflect.ValueOf(value)
			for i := range receiver.NumMethod() {
				name := receiver.Type().Method(i).Name
				args, known := good[name]
				if name == "List" { // of two types
					args, known = good["List of "+constructor]
				}
				require.True(t, known, "a new method %s: add its arguments", name)
				t.Run(receiver.Type().Elem().Name()+" "+[]string{"nil", "zero", "nil with store", "nil with nil store"}[n]+" "+name, func(t *testing.T) {
					requireNotMade(t, constructor, name, call(receiver.Method(i), args))
				})
			}
		}
	}
	require.Equal(t, magiclink.Record{}.ConsumedAt, f.record(t, id).ConsumedAt, "the link is as it was")
	_, err = f.Redeem(t.Context(), link)
	require.NoError(t, err, "the control: the arguments are good")
}

func call(method reflect.Value, args []any) []reflect.Value {
	in := make([]reflect.Value, len(args))
	for i, arg := range args {
		in[i] = reflect.ValueOf(arg)
	}
	return method.Call(in)
}

// requireNotMade looks at what a method has returned: an error that names the constructor with zero values beside it.
func requireNotMade(t *testing.T, constructor, name string, results []reflect.Value) {
	t.Helper()
	last := results[len(results)-1]
	if last.Type() == reflect.TypeFor[error]() {
		err, ok := last.Interface().(error)
		require.True(t, ok, "an error")
		require.Regexp(t, `^magiclink: .* use `+constructor+`$`, err.Error())
		results = results[:len(results)-1]
	}
	switch name {
	case "WithStore", "Destination": // a value that is not made either, and a path
		return
	}
	for _, result := range results {
		require.Zero(t, result.Interface())
	}
}

// WithStore of a zero value returns a zero value.
func TestWithStoreOfNothing(t *testing.T) {
	store := newFixture(t).store
	_, err := new(magiclink.Issuer).WithStore(store).Issue(t.Context(), fullInput)
	require.ErrorContains(t, err, "use New")
	_, err = new(magiclink.Redeemer).WithStore(store).Redeem(context.Background(), "x")
	require.ErrorContains(t, err, "use NewRedeemer")
}

func TestDestinationOfARedeemerThatWasNotMade(t *testing.T) {
	for path, want := range map[string]string{"/reports": "/reports", "": "/", "//evil.example": "/"} {
		require.Equal(t, want, new(magiclink.Redeemer).Destination(magiclink.Redemption{Path: path}))
	}
}
