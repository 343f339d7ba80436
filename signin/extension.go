package signin

import (
	"crypto/sha256"
	"strings"

	"github.com/magiclink-go/magiclink"
)

// What a flow stores in front of the application's own Extension:
//
//	4 bytes   the mark, which no UTF-8 text begins with
//	1 byte    the kind
//	32 bytes  the digest of the flow's secret  } for the kind of a flow
//	32 bytes  the digest of the code           }
const (
	extensionMark = "\xffms\x01"
	kindFlow      = 'f'
	kindInvite    = 'i'

	flowExtension   = len(extensionMark) + 1 + 2*sha256.Size
	inviteExtension = len(extensionMark) + 1
)

// MaxExtension is how many bytes an Extension may have that [Config.Resolve] returns.
const MaxExtension = 1024 - flowExtension

// binding is what a link is tied to.
type binding struct {
	flow [sha256.Size]byte // the digest of the flow's secret
	code [sha256.Size]byte // the digest of the code
}

// digestOf is the digest of a flow's secret.
func digestOf(secret string) [sha256.Size]byte {
	return sha256.Sum256([]byte("magiclink flow\x00" + secret))
}

func (b binding) extension(application string) string {
	return extensionMark + string(rune(kindFlow)) + string(b.flow[:]) + string(b.code[:]) + application
}

func invited(application string) string {
	return extensionMark + string(rune(kindInvite)) + application
}

// readExtension returns what a link is tied to, which kind of link this package has mailed, and the application's own Extension. The kind is
// 0 for every other link.
func readExtension(extension string) (b binding, kind byte, application string) {
	rest, ours := strings.CutPrefix(extension, extensionMark)
	switch {
	case ours && len(extension) >= flowExtension && rest[0] == kindFlow:
		rest = rest[1:]
		copy(b.flow[:], rest)
		copy(b.code[:], rest[sha256.Size:])
		return b, kindFlow, rest[2*sha256.Size:]
	case ours && len(extension) >= inviteExtension && rest[0] == kindInvite:
		return binding{}, kindInvite, rest[1:]
	}
	return binding{}, 0, extension
}

// Open returns the redemption of a link as an application gets it: with the Extension that the application has given, and with
// [magiclink.DeliveredByMail] for a link that a Flow has mailed. It returns every other redemption as it is. The handlers of a Flow and of a
// Service with a Flow have done it already; call Open where the application redeems a link itself.
func Open(redemption magiclink.Redemption) magiclink.Redemption {
	_, kind, application := readExtension(redemption.Extension)
	if kind != 0 {
		redemption.Extension, redemption.Delivered = application, magiclink.DeliveredByMail
	}
	return redemption
}
