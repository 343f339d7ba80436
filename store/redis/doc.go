// Package redis keeps links in Redis, Valkey or a Redis Cluster.
package redis
