package redis_test

import (
	"context"
	"log"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/magiclink-go/magiclink/store/redis"
)

func ExampleNew() {
	ctx := context.Background()
	client := goredis.NewClient(&goredis.Options{
		Addr:                  "redis.example.com:6379",
		ContextTimeoutEnabled: true,
		DialTimeout:           2 * time.Second,
	})
	defer client.Close()
	store, err := redis.New(client, redis.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close() // before the client
	if err := store.Ping(ctx); err != nil {
		log.Fatal(err)
	}
}

// A write is acknowledged when one replica has it, too.
func ExampleNew_cluster() {
	client := goredis.NewClusterClient(&goredis.ClusterOptions{
		Addrs:                 []string{"redis-1.example.com:6379", "redis-2.example.com:6379", "redis-3.example.com:6379"},
		ContextTimeoutEnabled: true,
	})
	defer client.Close()
	store, err := redis.New(client, redis.Options{RequireReplicas: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close() // before the client
}

// A connection string cannot say ContextTimeoutEnabled.
func ExampleNew_url() {
	options, err := goredis.ParseURL("rediss://links:password@redis.example.com:6379/0")
	if err != nil {
		log.Fatal(err)
	}
	options.ContextTimeoutEnabled = true
	store, err := redis.New(goredis.NewClient(options), redis.Options{Prefix: "shop:links:"})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
}
