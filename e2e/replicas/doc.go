// Package replicas tests several processes of "magiclink serve" that share a store on a server, behind a proxy that hands requests to
// them in turn.
package replicas
