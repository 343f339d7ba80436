package load

import "errors"

// ErrStop ends a caller whose work has run out.
var ErrStop = errors.New("no work is left")
