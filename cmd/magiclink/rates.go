package main

import (
	"flag"
	"strconv"
	"strings"
	"time"

	"github.com/magiclink-go/magiclink"
)

// rateFlag is how often something may happen: "10/1m" is ten times at once, and then once in each minute; "off" is no limit.
type rateFlag struct{ rate magiclink.Rate }

// String implements [flag.Value].
func (f *rateFlag) String() string {
	if f.rate == (magiclink.Rate{}) {
		return "off"
	}
	return strconv.Itoa(f.rate.Burst) + "/" + shortDuration(f.rate.Every)
}

// Set implements [flag.Value].
func (f *rateFlag) Set(text string) error {
	if text == "off" {
		f.rate = magiclink.Rate{}
		return nil
	}
	first, period, _ := strings.Cut(text, "/")
	if period != "" && !('0' <= period[0] && period[0] <= '9') {
		period = "1" + period // "10/m"
	}
	burst, err := strconv.Atoi(first)
	if err != nil {
		return err
	}
	every, err := time.ParseDuration(period)
	if err != nil {
		return err
	}
	rate := magiclink.Rate{Burst: burst, Every: every}
	if err := rate.Check("key", time.Unix(0, 0)); err != nil {
		return err
	}
	f.rate = rate
	return nil
}

// shortDuration leaves out the units that are zero: 1m and not 1m0s.
func shortDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// rateFlags are the limits of serve that the store counts, for all replicas together.
type rateFlags struct{ subject, business, tenant, redeem rateFlag }

// The defaults are far above what people do, and far below what a guesser or a flooder needs.
func (f *rateFlags) declare(set *flag.FlagSet) {
	f.subject.rate = magiclink.Rate{Burst: 100, Every: time.Minute}
	f.redeem.rate = magiclink.Rate{Burst: 1000, Every: 100 * time.Millisecond}
	set.Var(&f.subject, "limit-subject", "how often links are issued for one address: a `rate`, as 10/1m for 10 at once and then 1 each minute, or off")
	set.Var(&f.business, "limit-business", "how often links without an address are issued for one business: a `rate`, or off")
	set.Var(&f.tenant, "limit-tenant", "how often links are issued for one tenant: a `rate`, or off")
	set.Var(&f.redeem, "limit-redeem", "how often one client address tries to redeem a link, by a click or by the API: a `rate`, or off")
}

func (f *rateFlags) limits() magiclink.Limits {
	return magiclink.Limits{PerSubject: f.subject.rate, PerBusiness: f.business.rate, PerTenant: f.tenant.rate}
}

// orWidest is the rate, or one that nobody reaches for "off", where no rate means the default.
func (f *rateFlag) orWidest() magiclink.Rate {
	if f.rate == (magiclink.Rate{}) {
		return magiclink.Rate{Burst: 1_000_000, Every: time.Millisecond}
	}
	return f.rate
}
