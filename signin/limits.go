package signin

import (
	"time"

	"github.com/magiclink-go/magiclink"
)

// Limits bound how often mails are sent and codes are tried. They are counted in the Store, so all processes and replicas on it share them.
// Keys in the store are digests. The zero value of each field is its default; no Rate can be switched off, and one with a large Burst bounds
// nothing in practice. A person who has reached a limit sees the same page as ever.
type Limits struct {
	// ResendPauses are the shortest pauses between the mails to one address: before the second, the third and so on. The last one counts
	// for all that follow, until as much time without a mail has passed as all pauses take together. At most 8, each from 20 s to 24 h. Nil
	// means 30 s, 60 s and 120 s. An empty list that is not nil means no pauses.
	ResendPauses []time.Duration

	// PerAddress bounds the mails to one address, whatever its upper and lower case, what stands behind a "+" in it, and for Gmail the dots
	// in it. The default is five at once and then one each hour: Burst 5, Every 1 h.
	PerAddress magiclink.Rate

	// PerClient bounds the requests of one client address, or of one /64 network of IPv6. Wider networks have limits, too, because somebody
	// who has one can ask from each of its addresses: a /48 network of IPv6 eight times this rate, and a /56 four times. The default is
	// Burst 30, Every 20 s.
	PerClient magiclink.Rate

	// PerTenant bounds the mails for one tenant. A fifth of them is kept for networks that ask little while the others are used up: a /24
	// network of IPv4 or a /48 of IPv6 has ten mails of it, and then one each minute. A Burst below 5 and an Every above 24 h are not
	// divided. When mails are refused, the log has a warning, at most one each minute. The default is Burst 1000, Every 1 s.
	PerTenant magiclink.Rate

	// CodesPerClient bounds the codes that one client address tries, and its wider networks as PerClient does. The default is Burst 20,
	// Every 10 s. Each code has five tries in the browser that has asked, and five beside the link, whatever the client.
	CodesPerClient magiclink.Rate
}

// codeTries are the tries of one code in one of the two places where it can be typed. The period is longer than a link can live, and a store can forget the key soon.
var codeTries = magiclink.Rate{Burst: 5, Every: 30 * time.Minute}

var defaultLimits = Limits{
	ResendPauses:   []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute},
	PerAddress:     magiclink.Rate{Burst: 5, Every: time.Hour},
	PerClient:      magiclink.Rate{Burst: 30, Every: 20 * time.Second},
	PerTenant:      magiclink.Rate{Burst: 1000, Every: time.Second},
	CodesPerClient: magiclink.Rate{Burst: 20, Every: 10 * time.Second},
}

const (
	maxPauses = 8
	minPause  = 2 * step // two requests of a flow never share an id
	maxPause  = 24 * time.Hour
)

func (l Limits) check(found *faults) {
	if len(l.ResendPauses) > maxPauses {
		found.add("Limits.ResendPauses", "must be at most 8")
	}
	for _, pause := range l.ResendPauses {
		if pause < minPause || pause > maxPause {
			found.add("Limits.ResendPauses", "must be from 20 s to 24 h each")
			break
		}
	}
	for _, each := range []struct {
		name string
		rate magiclink.Rate
	}{
		{"PerAddress", l.PerAddress}, {"PerClient", l.PerClient}, {"PerTenant", l.PerTenant}, {"CodesPerClient", l.CodesPerClient},
	} {
		if each.rate != (magiclink.Rate{}) && each.rate.Check("key", time.Unix(0, 0)) != nil {
			found.add("Limits."+each.name, "is out of bounds: Burst is 1 to 1000000, Every is 1ms to 366 days")
		}
	}
}

func (l Limits) withDefaults() Limits {
	if l.ResendPauses == nil {
		l.ResendPauses = defaultLimits.ResendPauses
	}
	for _, each := range []struct{ rate, otherwise *magiclink.Rate }{
		{&l.PerAddress, &defaultLimits.PerAddress},
		{&l.PerClient, &defaultLimits.PerClient},
		{&l.PerTenant, &defaultLimits.PerTenant},
		{&l.CodesPerClient, &defaultLimits.CodesPerClient},
	} {
		if *each.rate == (magiclink.Rate{}) {
			*each.rate = *each.otherwise
		}
	}
	return l
}

// pause returns how long the browser should wait after its request number n, counted from 1.
func (l Limits) pause(n int) time.Duration {
	if len(l.ResendPauses) == 0 {
		return 0
	}
	return l.ResendPauses[min(n, len(l.ResendPauses))-1]
}

// perAddress are the rates of one address. With the bucket of n mails in the time of the first n pauses, mail n+1 comes that much after the first
// one. The shortest comes first: what it refuses uses up nothing of the others.
func (l Limits) perAddress() []magiclink.Rate {
	var rates []magiclink.Rate
	total := time.Duration(0)
	for n, pause := range l.ResendPauses {
		total += pause
		rates = append(rates, magiclink.Rate{Burst: n + 1, Every: total})
	}
	return append(rates, l.PerAddress)
}
