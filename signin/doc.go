// Package signin leads a person from an e-mail address to a session.
package signin
