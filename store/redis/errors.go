package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	goredis "github.com/redis/go-redis/v9"
)

// ErrClosed is what calls return after [Store.Close].
var ErrClosed = errors.New("the Store is closed")

var (
	errNoStore  = errors.New("the Store is not initialized: use New")
	errZeroTime = errors.New("the time is zero: pass the current time")
)

const clusterAdvice = "the server is part of a cluster: use goredis.NewClusterClient; for the command name another of its servers, redis://HOST:6379?addr=HOST2:6379"

const permissionAdvice = "the user lacks a permission: ACL SETUSER … ~PREFIX* +set +get +getex +del +pexpireat +pexpiretime +incrby +pexpire " +
	"+zadd +zrange +zrem +time +eval +evalsha +scan +wait +ping +info, in a cluster also +cluster|slots +asking, " +
	"and in a database other than 0 +select"

const commandAdvice = "the server lacks a command: Redis 7.0, Valkey 7.2 or newer is needed, and rename-command must not take away a command " +
	"that the package comment of store/redis lists"

// refusals are errors of the server by which it refuses a command, with what to do.
var refusals = []struct{ prefix, advice string }{
	{"READONLY", "the server is a replica and takes no writes: connect to the primary; a failover client needs ReplicaOnly unset"},
	{"BUSY", "a script of somebody else has kept the server busy for longer than busy-reply-threshold: try again, or end the script by SCRIPT KILL"},
	{"LOADING", "the server is loading its data: wait until it has"},
	{"MASTERDOWN", "the server is a replica without its primary: connect to the primary"},
	{"CLUSTERDOWN", "the cluster does not serve the slot of the key: look at CLUSTER INFO, and bring the missing primary back"},
	{"TRYAGAIN", "the slot of the key is moving: try again"},
	{"OOM", "the server has no memory left: raise maxmemory, with maxmemory-policy noeviction"},
	{"NOAUTH", "the server asks for a password: set Username and Password of the client, in a URL redis://USER:PASSWORD@HOST"},
	{"WRONGPASS", "the server does not know the user or the password: correct Username and Password of the client, in a URL redis://USER:PASSWORD@HOST"},
	{"NOPERM", permissionAdvice},
	{"ERR The user executing the script can't run", permissionAdvice},
	{"ERR ACL failure in script", permissionAdvice}, // from Redis 7.2 on
	{"CROSSSLOT", "the server has mistaken the key for several: report this as a bug"},
	{"NOREPLICAS", "the server has fewer replicas than min-replicas-to-write: bring them back"},
	{"MISCONF", "the server cannot write to its disk: look at its log"},
	{"MOVED", clusterAdvice},
	{"ASK", "the slot of the key is moving and its new server is out of reach: try again"},
	{"WRONGTYPE", "the key holds another kind of value: give the store a prefix of its own by Options.Prefix"},
	{"ERR magiclink: not a record", errNoRecord.Error()},
	{"ERR magiclink: not a limit", errNoLimit.Error()},
	{"ERR Error compiling script", "the server is too old: Redis 7.0, Valkey 7.2 or newer is needed"},
	{"ERR syntax error", "the server is too old: Redis 7.0, Valkey 7.2 or newer is needed"},
	{"ERR unknown command", commandAdvice},
	{"ERR Unknown ", commandAdvice}, // in a script
	{"ERR max number of clients", "the server has too many clients: raise maxclients, or lower PoolSize"},
}

// withAdvice says what to do about an error that the application or its operator can cure.
func withAdvice(err error) error {
	if server, ok := errors.AsType[goredis.Error](err); ok {
		for _, r := range refusals {
			if strings.HasPrefix(server.Error(), r.prefix) {
				return fmt.Errorf("%s: %w", r.advice, unquoted{err})
			}
		}
	}
	if errors.Is(err, goredis.ErrPoolTimeout) || errors.Is(err, goredis.ErrPoolExhausted) {
		return fmt.Errorf("all connections are in use: raise PoolSize of the client: %w", err)
	}
	if errors.Is(err, goredis.ErrClosed) {
		return fmt.Errorf("the client is closed: close the Store before the client: %w", err)
	}
	return err
}

// unquoted is an error of the server that is shown without the arguments of the command: they hold what is known of a link.
type unquoted struct{ error }

// Error implements error.
func (e unquoted) Error() string {
	text, _, _ := strings.Cut(e.error.Error(), ", with args beginning with")
	return text
}

func (e unquoted) Unwrap() error { return e.error }

// harmless reports whether the attempt has certainly changed nothing: the server has refused it, or nothing was sent.
func harmless(err error) bool {
	if _, ok := errors.AsType[notSent](err); ok {
		return true
	}
	if _, ok := errors.AsType[goredis.Error](err); ok {
		return true
	}
	if dial, ok := errors.AsType[*net.OpError](err); ok && dial.Op == "dial" {
		return true
	}
	return errors.Is(err, goredis.ErrPoolTimeout) || errors.Is(err, goredis.ErrPoolExhausted) || errors.Is(err, goredis.ErrClosed)
}

// notSent is an error from before a call was sent.
type notSent struct{ error }

func (e notSent) Unwrap() error { return e.error }

// passing reports whether the server has refused the attempt for a reason that often passes within milliseconds: a failover, or a
// slot of a cluster that moves.
func passing(err error) bool {
	return goredis.IsReadOnlyError(err) || goredis.IsTryAgainError(err) || goredis.HasErrorPrefix(err, "ASK") ||
		goredis.HasErrorPrefix(err, "MOVED") || goredis.HasErrorPrefix(err, "CLUSTERDOWN")
}

// outOfReach reports whether the server of a call may be gone.
func outOfReach(err error) bool {
	if err == nil {
		return false
	}
	_, answered := errors.AsType[goredis.Error](err)
	return !answered || goredis.IsReadOnlyError(err) || goredis.IsClusterDownError(err) || goredis.HasErrorPrefix(err, "MOVED")
}

func timedOut(err error) bool {
	network, ok := errors.AsType[net.Error](err)
	return ok && network.Timeout() || errors.Is(err, context.DeadlineExceeded)
}

func failed(name string, cause error) error {
	return fmt.Errorf("magiclink/redis: %s: %w", name, cause)
}
