package httpadapter

// WithDeadline is compared with the one of the package context.
var WithDeadline = withDeadline
