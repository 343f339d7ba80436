package signin

import "errors"

// ErrPermanent says that a message can never be delivered as it is, so that nobody tries again: the mail server refuses the address, for
// example.
var ErrPermanent = errors.New("magiclink/signin: the mail cannot be delivered")
