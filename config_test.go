package magiclink_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/memory"
)

// constructors make their values from one Config.
var constructors = map[string]func(magiclink.Config) (any, error){
	"New": func(c magiclink.Config) (any, error) {
		issuer, err := magiclink.New(c)
		return issuer, err
	},
	"NewRedeemer": func(c magiclink.Config) (any, error) {
		redeemer, err := magiclink.NewRedeemer(c)
		return redeemer, err
	},
	"NewSessions": func(c magiclink.Config) (any, error) {
		sessions, err := magiclink.NewSessions(c)
		return sessions, err
	},
}

// faultsOf returns the fields of each fault of an error that must be ConfigErrors.
func faultsOf(tb testing.TB, err error) []string {
	tb.Helper()
	var faults magiclink.ConfigErrors
	require.ErrorAs(tb, err, &faults)
	require.NotEmpty(tb, faults)
	var fields []string
	for _, fault := range faults {
		require.NotEmpty(tb, fault.Reason)
		require.ErrorContains(tb, err, fault.Error())
		fields = append(fields, fault.Field)
	}
	return fields
}

func TestConstructorsReportEveryFaultAtOnce(t *testing.T) {
	bad := magiclink.Config{
		BaseURL: "http://app.example.com/magic", SessionKeys: new(magiclink.Keyring), Store: (*memory.Store)(nil),
		Businesses: (*pointerDirectory)(nil), Issuer: "a\nb", Audience: "\xff", Leeway: -1, MaxSessionTimeout: -time.Second,
		SessionRecheck: -1,
	}
	for name, construct := range constructors {
		t.Run(name, func(t *testing.T) {
			made, err := construct(bad)
			require.Nil(t, made)
			require.Equal(t, []string{
				"BaseURL", "Keys", "SessionKeys", "Store", "Businesses", "Issuer", "Audience", "Leeway", "MaxSessionTimeout",
				"SessionRecheck",
			}, faultsOf(t, err))

			var faults magiclink.ConfigErrors
			require.ErrorAs(t, err, &faults)
			var first *magiclink.ConfigError
			require.ErrorAs(t, err, &first)
			require.Same(t, faults[0], first)
			list, ok := err.(interface{ Unwrap() []error })
			require.True(t, ok)
			require.Len(t, list.Unwrap(), 10)
			require.True(t, errors.Is(err, faults[9]))
		})
	}
}

// pointerDirectory is a directory whose nil pointer would panic later.
type pointerDirectory struct{ business magiclink.Business }

func (d *pointerDirectory) FindBusiness(context.Context, string, magiclink.BusinessRef) (magiclink.Business, error) {
	return d.business, nil
}

// Each fault is reported alone, by every constructor that it concerns.
func TestConfigFaults(t *testing.T) {
	keys := seededKeyring(t)
	public, err := keys.Public()
	require.NoError(t, err)
	good := magiclink.Config{
		BaseURL: baseURL, Keys: keys, SessionKeys: keys, Store: memory.New(), Businesses: magiclink.AnyBusiness,
		Issuer: repeat("i", 120), Audience: repeat("a", 120), Leeway: time.Minute, MaxSessionTimeout: 7948800 * time.Second,
		SessionRecheck: time.Hour,
	}
	issuing, all := []string{"New"}, []string{"New", "NewRedeemer", "NewSessions"}
	for name, test := range map[string]struct {
		change func(*magiclink.Config)
		field  string   // of the fault
		of     []string // the constructors that report it; the others succeed
	}{
		"none":                  {func(*magiclink.Config) {}, "", nil},
		"no base URL":           {func(c *magiclink.Config) { c.BaseURL = "" }, "BaseURL", all},
		"no keys":               {func(c *magiclink.Config) { c.Keys = nil }, "Keys", all},
		"zero keyring":          {func(c *magiclink.Config) { c.Keys = new(magiclink.Keyring) }, "Keys", all},
		"public keys":           {func(c *magiclink.Config) { c.Keys = public }, "Keys", issuing},
		"zero session keys":     {func(c *magiclink.Config) { c.SessionKeys = new(magiclink.Keyring) }, "SessionKeys", all},
		"no session keys":       {func(c *magiclink.Config) { c.SessionKeys = nil }, "", nil},
		"public session keys":   {func(c *magiclink.Config) { c.SessionKeys = public }, "", nil},
		"no store":              {func(c *magiclink.Config) { c.Store = nil }, "Store", []string{"New", "NewRedeemer"}},
		"nil pointer as store":  {func(c *magiclink.Config) { c.Store = (*memory.Store)(nil) }, "Store", all},
		"nil wrapper as store":  {func(c *magiclink.Config) { c.Store = (*tapStore)(nil) }, "Store", all},
		"no directory":          {func(c *magiclink.Config) { c.Businesses = nil }, "", nil},
		"nil pointer directory": {func(c *magiclink.Config) { c.Businesses = (*pointerDirectory)(nil) }, "Businesses", all},
		"nil map as directory":  {func(c *magiclink.Config) { c.Businesses = directory(nil) }, "Businesses", all},
		"empty directory":       {func(c *magiclink.Config) { c.Businesses = directory{} }, "", nil},
		"long issuer":           {func(c *magiclink.Config) { c.Issuer = repeat("i", 513) }, "Issuer", all},
		"issuer not UTF-8":      {func(c *magiclink.Config) { c.Issuer = "\xff" }, "Issuer", all},
		"control in issuer":     {func(c *magiclink.Config) { c.Issuer = "a\x00" }, "Issuer", all},
		"long audience":         {func(c *magiclink.Config) { c.Audience = repeat("a", 513) }, "Audience", all},
		"audience not UTF-8":    {func(c *magiclink.Config) { c.Audience = "\xff" }, "Audience", all},
		"names of 241 bytes":    {func(c *magiclink.Config) { c.Issuer += "i" }, "Issuer", []string{"NewSessions"}},
		"names of 512 bytes":    {func(c *magiclink.Config) { c.Issuer = repeat("i", 512) }, "Issuer", []string{"NewSessions"}},
		"negative leeway":       {func(c *magiclink.Config) { c.Leeway = -1 }, "Leeway", all},
		"leeway over a minute":  {func(c *magiclink.Config) { c.Leeway = time.Minute + 1 }, "Leeway", all},
		"negative session":      {func(c *magiclink.Config) { c.MaxSessionTimeout = -1 }, "MaxSessionTimeout", all},
		"session in parts":      {func(c *magiclink.Config) { c.MaxSessionTimeout = 1500 * time.Millisecond }, "MaxSessionTimeout", all},
		"session too long":      {func(c *magiclink.Config) { c.MaxSessionTimeout = 7948801 * time.Second }, "MaxSessionTimeout", all},
		"shortest session":      {func(c *magiclink.Config) { c.MaxSessionTimeout = time.Second }, "", nil},
		"negative recheck":      {func(c *magiclink.Config) { c.SessionRecheck = -1 }, "SessionRecheck", all},
		"no recheck":            {func(c *magiclink.Config) { c.SessionRecheck = 0 }, "", nil},
	} {
		for constructor, construct := range constructors {
			t.Run(name+" "+constructor, func(t *testing.T) {
				config := good
				test.change(&config)
				before := config
				made, err := construct(config)
				require.Equal(t, before, config)
				for _, concerned := range test.of {
					if constructor == concerned {
						require.Equal(t, []string{test.field}, faultsOf(t, err))
						require.Nil(t, made)
						return
					}
				}
				require.NoError(t, err)
				require.NotNil(t, made)
			})
		}
	}
}

// Only NewSessions takes a Config without a Store: its sessions last until they expire.
func TestStoreIsOptionalForSessionsAlone(t *testing.T) {
	config := magiclink.Config{BaseURL: baseURL, Keys: seededKeyring(t)}
	_, err := magiclink.NewSessions(config)
	require.NoError(t, err)
	for _, construct := range []string{"New", "NewRedeemer"} {
		_, err := constructors[construct](config)
		require.ErrorContains(t, err, "store/memory", "it says where stores are")
	}
}

func TestDefaultsOfConfig(t *testing.T) {
	issuer, err := magiclink.New(magiclink.Config{
		BaseURL: "https://App.Example.com:8443/magic/", Keys: seededKeyring(t), Store: memory.New(),
	})
	require.NoError(t, err)
	before := time.Now()
	response, err := issuer.Issue(t.Context(), magiclink.MagicLinkCreate{BusinessID: businessA})
	require.NoError(t, err)

	claims := part(t, tokenOf(t, response.MagicLink), 1)
	require.Equal(t, "https://app.example.com:8443", claims["iss"])
	require.Equal(t, "https://app.example.com:8443#magic-link", claims["aud"])
	require.WithinDuration(t, before.Add(5*time.Minute), response.ExpiresAt, 30*time.Second, "the clock is the system's")
}

// One Config serves all three constructors, also with names and session keys of its own.
func TestOneConfigForAll(t *testing.T) {
	f := newFixture(t, func(c *magiclink.Config) {
		c.Issuer, c.Audience, c.SessionKeys = `urn:"issuer"`, "urn:audience", generate(t, magiclink.ES256)
	})
	link, _ := f.link(t, fullInput)
	claims := part(t, link, 1)
	require.Equal(t, `urn:"issuer"`, claims["iss"])
	require.Equal(t, "urn:audience#magic-link", claims["aud"])

	redeemed, err := f.Redeem(t.Context(), link)
	require.NoError(t, err)
	token, granted, err := f.sessions.Grant(t.Context(), redeemed)
	require.NoError(t, err)
	require.Equal(t, "ES256", part(t, token, 0)["alg"], "sessions have their own keys")
	require.Equal(t, "urn:audience#session", part(t, token, 1)["aud"])
	verified, err := f.sessions.Verify(t.Context(), token)
	require.NoError(t, err)
	require.Equal(t, granted, verified)
}
