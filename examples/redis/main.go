// Command redis serves magic links from Redis. Several of them can run at the same time, with the same key file.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/store/redis"
)

func main() {
	service, closeStore, err := newService(context.Background(), os.Getenv("REDIS_URL"), os.Getenv("KEYS"))
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{Addr: "127.0.0.1:8080", Handler: service, ReadHeaderTimeout: 5 * time.Second}
	log.Print(errors.Join(server.ListenAndServe(), closeStore()))
}

// newService returns a service on the server, for example redis://127.0.0.1:6379/0, with the keys of a file that
// "magiclink keys rotate -force -keys FILE" makes.
func newService(ctx context.Context, server, keyFile string) (_ *httpadapter.Service, closeStore func() error, err error) {
	options, err := goredis.ParseURL(server)
	if err != nil {
		return nil, nil, err
	}
	options.ContextTimeoutEnabled = true // the store refuses a client without it
	client := goredis.NewClient(options)
	store, err := redis.New(client, redis.Options{})
	if err != nil {
		return nil, nil, errors.Join(err, client.Close())
	}
	closeStore = func() error { return errors.Join(store.Close(), client.Close()) } // in this order
	if err := store.Ping(ctx); err != nil {
		return nil, nil, errors.Join(err, closeStore())
	}
	keys, err := magiclink.LoadKeyring(keyFile)
	if err != nil {
		return nil, nil, errors.Join(err, closeStore())
	}
	service, err := httpadapter.NewService(httpadapter.ServiceConfig{
		Config: magiclink.Config{BaseURL: "http://127.0.0.1:8080/magic", Keys: keys, Store: store},
		App:    "Example",
		NotFound: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintln(w, "This is where the link has led.")
		}),
	})
	if err != nil {
		return nil, nil, errors.Join(err, closeStore())
	}
	return service, closeStore, nil // no PurgeEvery: Redis removes ended links by itself
}
