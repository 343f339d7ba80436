package magiclink_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/memory"
)

func TestNewReportsEveryFaultAtOnce(t *testing.T) {
	issuer, err := magiclink.New(magiclink.Config{MaxSessionTimeout: -time.Second})
	require.Nil(t, issuer)

	var faults magiclink.ConfigErrors
	require.ErrorAs(t, err, &faults)
	var fields []string
	for _, fault := range faults {
		require.NotEmpty(t, fault.Reason)
		require.ErrorContains(t, err, fault.Error())
		fields = append(fields, fault.Field)
	}
	require.Equal(t, []string{"BaseURL", "Keys", "Store", "MaxSessionTimeout"}, fields)

	var first *magiclink.ConfigError
	require.ErrorAs(t, err, &first)
	require.Same(t, faults[0], first)

	list, ok := err.(interface{ Unwrap() []error })
	require.True(t, ok)
	require.Len(t, list.Unwrap(), 4)
	require.True(t, errors.Is(err, faults[3]))
}

func TestConfigErrorsOfOtherPackages(t *testing.T) {
	var faults magiclink.ConfigErrors
	require.NoError(t, faults.Err())
	faults.Add("Cookie", "must have a name")
	require.EqualError(t, faults.Err(), "magiclink: invalid configuration: Cookie must have a name")
}

func TestNewFaults(t *testing.T) {
	ring := seededKeyring(t)
	public, err := ring.Public()
	require.NoError(t, err)
	good := magiclink.Config{BaseURL: baseURL, Keys: ring, Store: memory.New()}
	_, err = magiclink.New(good)
	require.NoError(t, err, "the configuration that each case changes works")

	for name, test := range map[string]struct {
		change func(*magiclink.Config)
		field  string
	}{
		"no keys":           {func(c *magiclink.Config) { c.Keys = nil }, "Keys"},
		"zero keyring":      {func(c *magiclink.Config) { c.Keys = new(magiclink.Keyring) }, "Keys"},
		"public keys alone": {func(c *magiclink.Config) { c.Keys = public }, "Keys"},
		"no store":          {func(c *magiclink.Config) { c.Store = nil }, "Store"},
		"negative session":  {func(c *magiclink.Config) { c.MaxSessionTimeout = -1 }, "MaxSessionTimeout"},
		"session in parts":  {func(c *magiclink.Config) { c.MaxSessionTimeout = 1500 * time.Millisecond }, "MaxSessionTimeout"},
		"session too long":  {func(c *magiclink.Config) { c.MaxSessionTimeout = 7948801 * time.Second }, "MaxSessionTimeout"},
		"no base URL":       {func(c *magiclink.Config) { c.BaseURL = "" }, "BaseURL"},
	} {
		t.Run(name, func(t *testing.T) {
			config := good
			test.change(&config)
			_, err := magiclink.New(config)
			var faults magiclink.ConfigErrors
			require.ErrorAs(t, err, &faults)
			require.Len(t, faults, 1)
			require.Equal(t, test.field, faults[0].Field)
		})
	}
}

func TestNewAcceptsTheLongestSession(t *testing.T) {
	for _, longest := range []time.Duration{0, time.Second, 7948800 * time.Second} {
		newFixture(t, func(c *magiclink.Config) { c.MaxSessionTimeout = longest })
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

func TestIssuerAndAudienceOfConfig(t *testing.T) {
	f := newFixture(t, func(c *magiclink.Config) { c.Issuer, c.Audience = `urn:"issuer"`, "urn:audience" })
	response, err := f.Issue(t.Context(), magiclink.MagicLinkCreate{BusinessID: businessA})
	require.NoError(t, err)
	claims := part(t, tokenOf(t, response.MagicLink), 1)
	require.Equal(t, `urn:"issuer"`, claims["iss"])
	require.Equal(t, "urn:audience#magic-link", claims["aud"])
}

func TestIssuerNotMadeByNew(t *testing.T) {
	var none *magiclink.Issuer
	for name, issuer := range map[string]*magiclink.Issuer{"nil": none, "zero": {}} {
		t.Run(name, func(t *testing.T) {
			_, err := issuer.Issue(t.Context(), magiclink.MagicLinkCreate{BusinessID: businessA})
			require.ErrorContains(t, err, "New")
			_, err = issuer.ParseCreate([]byte(`{"business_id":"` + businessA + `"}`))
			require.ErrorContains(t, err, "New")
			require.ErrorContains(t, issuer.Revoke(t.Context(), "", "mlk_"+businessA[4:]), "New")
		})
	}
}

// Links whose tokens no verifier would read are found when the Issuer is made, and not by who clicks on them.
func TestNewRefusesNamesThatNoTokenCanCarry(t *testing.T) {
	for name, change := range map[string]func(*magiclink.Config){
		"long issuer":        func(c *magiclink.Config) { c.Issuer = repeat("i", 4000) },
		"long audience":      func(c *magiclink.Config) { c.Audience = repeat("a", 4000) },
		"issuer not UTF-8":   func(c *magiclink.Config) { c.Issuer = "\xff" },
		"audience not UTF-8": func(c *magiclink.Config) { c.Audience = "\xff" },
	} {
		t.Run(name, func(t *testing.T) {
			config := magiclink.Config{BaseURL: baseURL, Keys: seededKeyring(t), Store: memory.New()}
			change(&config)
			_, err := magiclink.New(config)
			require.Error(t, err)
		})
	}
}
