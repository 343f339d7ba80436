// Package smtp tests the whole sign-in against mail servers that are slow, down, or refuse.
package smtp
