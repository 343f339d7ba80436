// Package dbtest starts private database servers for tests: each on a free port of the loopback interface, in a temporary directory
// that is removed when the test ends. A server ends with the test process, even if that process is killed. The programs come
// from Debian's packages: see install.sh.
//
// MAGICLINK_TEST_POSTGRES_URL names another PostgreSQL server, on which the tests may make schemas, and MAGICLINK_TEST_REDIS_URL
// another Redis or Valkey server, on which they may make keys that begin with "magiclink-test". Tests that stop or promote a server
// use a private one in any case. MAGICLINK_TEST_REDIS_SERVER names the program of the private servers instead of redis-server:
// valkey-server, or a path that ends in "-server" beside the program that ends in "-cli".
//
// Where a program is missing, a test fails if CI is "true", and is skipped otherwise.
package dbtest
