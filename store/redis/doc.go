// Package redis keeps links in Redis, Valkey or a Redis Cluster. It is a store for a service that runs on several machines and already
// trusts such a server: each replica of the service has a [Store] on the same server.
//
//	client := goredis.NewClient(&goredis.Options{Addr: "redis:6379", ContextTimeoutEnabled: true})
//	store, err := redis.New(client, redis.Options{})
//	err = store.Ping(ctx) // when the service starts, and in a readiness check
//	defer store.Close()   // before client.Close()
//
// Redis 7.0, Valkey 7.2 or newer is needed, and go-redis v9 as the client: a [goredis.Client], also one from NewFailoverClient, or a
// [goredis.ClusterClient].
//
// # What it promises
//
// Of any number of racing redemptions one succeeds: every operation is one atomic command or script on one key. When Create, Consume or
// Revoke has returned nil, the primary server has the effect in its memory. What happens to the effect later depends on the server:
//
//   - With appendonly yes and appendfsync always, the effect survives a crash of the server and a loss of power.
//   - With appendfsync everysec, which is the default of an append-only file, a loss of power or a crash of the machine undoes what
//     was acknowledged in the last second, at times in the last two. A kill of the server process undoes nothing.
//   - Without an append-only file a restart undoes everything since the last snapshot.
//   - Replication is asynchronous. A failover undoes what the new primary has not received.
//
// A Consume that is undone makes a link that was used usable once more, and a Revoke that is undone brings an ended session back. A
// Create that is undone loses a link. Where the first two must not happen, use PostgreSQL with a synchronous standby or SQLite instead,
// or appendfsync always together with [Options] RequireReplicas.
//
// RequireReplicas lets the Store send WAIT behind each write, on the same connection, and acknowledge the write only when so many
// replicas have it in their memory. When fewer confirm it in time, the error matches [magiclink.ErrUnknownOutcome]: the primary has the
// write. The same Consume with the same by completes the redemption as soon as enough replicas are there. Once a write was short of
// replicas, the Store counts them before the next write, and refuses the write, without any change, while there are too few. A new Store
// does the same before its first write. The Store counts the replicas that confirm within a quarter of a second a write that leaves the
// key of the call as it is. RequireReplicas does not promise that no failover undoes the write: a replica that has not confirmed
// the write may be promoted, and replicas may lose their memory. Name all replicas that can be promoted, and let the servers sync their
// files. The server's own min-replicas-to-write refuses writes earlier and less strictly; both go together.
//
// The Store does not use WAITAOF.
//
// Time comes from the caller. The clock of the server plays no part in a verdict, but the server removes keys by it: a server
// whose clock is more than a [Margin] ahead forgets links before they expire. [Store.Ping] reports that.
//
// # Memory
//
// A link is one string under the name prefix + id: about 300 bytes with its key and the server's own entries, and the length of
// Extension. The server removes a record by itself one hour ([Margin]) after its [magiclink.Record.End]; the hour allows for clocks that
// differ. Nothing needs to call [magiclink.PurgeEvery]: a Purge reads every key of the database.
//
// Set maxmemory-policy to noeviction. With any other policy a server whose memory is full removes live links and sessions. That fails
// closed: the link is unknown, the session has ended. [Store.Ping] reports such a policy where the user may call INFO; [New] does not
// connect and does not know. With noeviction a full server refuses new links and redemptions, and the error says so.
//
// A key of [Store.Take] is one number. The server removes it one hour after the key grants a whole burst again. An [Index] has an entry for
// each link.
//
// # Lists and limits
//
// [Store.Take] needs nothing further. [Store.List] and [Store.RevokeSubject] need an [Index], which [Options] switches on: without one they
// return an error that matches [magiclink.ErrUnsupported]. The keys of both begin with the prefix and the byte 0xFF, which no id begins with.
//
// # Sharing round trips
//
// Calls that arrive while others are on their way to the server share the next pipeline of up to 128 commands. A lone call waits for
// nobody. A call that fails has no influence on those beside it.
//
// Goroutines of the Store talk to the server; a call waits for its answer. A call therefore returns as soon as its context
// ends, and the connection stays intact. Its error matches [magiclink.ErrUnknownOutcome] if the command was already under
// way, and is the context's error alone if it was not. The values of the context do not reach the hooks of go-redis.
//
// # Clients
//
// [New] refuses a client with which the contract would not hold: without ContextTimeoutEnabled; with ReadOnly, RouteByLatency or
// RouteRandomly, which read from replicas; with MaxRedirects of -1; with a ReadTimeout or WriteTimeout of -2; a Ring, which moves keys
// when a server is down; and any type that hides its settings. ReplicaOnly of a failover client cannot be seen: every call then fails
// and says so, since all commands of the Store are writes to the server, Get among them.
//
// MaxRetries of the client has no effect on calls of the Store. The Store repeats a call whose connection broke by itself, since each
// write recognises itself, and reports an unknown outcome if none of its attempts was answered. Take and the revocations of RevokeSubject
// count, so they are not repeated.
//
// A write that a Limiter of the client refuses counts as one with an unknown outcome: go-redis does not tell it from one that was
// sent.
//
// With a user of its own, the server must allow:
//
//	ACL SETUSER links on >PASSWORD ~magiclink:* +set +get +getex +del +pexpireat +pexpiretime +incrby +pexpire
//	  +zadd +zrange +zrem +time +eval +evalsha +scan +wait +ping +info
//
// in a cluster also +cluster|slots and +asking, and in a database other than 0 +select.
//
// Hooks of the client are called from goroutines of the Store. A panic in a hook fails the calls that share the pipeline, and no others.
// A hook of one server of a ClusterClient runs in a goroutine of go-redis, where a panic ends the process.
//
// # Redis Cluster
//
// Every command and every script has one key, so any prefix is possible; a prefix with a text in braces puts all links into one slot. The Store follows
// slots that move. When a server is out of reach, it asks the others who has taken its place. Calls for a server that hangs do not hold
// up calls for the others, as long as each of 2, 3, 4, 6 or 12 servers has an equal and contiguous part of the slots; with other parts
// they hold up some.
//
// # Outages
//
// An error of the server means that nothing was changed. A connection that breaks during a write, or a server that does not answer in
// time, leaves the outcome unknown, and the error matches [magiclink.ErrUnknownOutcome]. The same Consume with the same non-empty by
// then completes the redemption.
//
// # Errors
//
// Errors begin with "magiclink/redis:" and the name of the operation, wrap those of go-redis and contain nothing of a record.
package redis
