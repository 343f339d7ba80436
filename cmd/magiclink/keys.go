package main

import (
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/magiclink-go/magiclink"
)

func keysCommand() *command {
	return &command{
		name:    "keys",
		args:    "list | rotate | retire KID | jwks [flags]",
		summary: "lists, rotates, retires and publishes the keys",
		long: "Handles the keyring of the data directory. list shows the keys, rotate makes a new signing key and prints its id,\n" +
			"retire removes a key that no longer signs, jwks prints the public keys as a JWK set.\n" +
			"A running serve follows within seconds. Retire an old key when what it signed has expired: links live for at\n" +
			"most 15 minutes, access tokens for at most a day.",
		example: "magiclink keys rotate",
		flags:   new(dataDir).declare,
		run:     runKeys,
	}
}

func runKeys(_ context.Context, p *program, args []string) error {
	if len(args) == 0 {
		return usagef("say what to do: list, rotate, retire KID or jwks")
	}
	var data dataDir
	action, args := args[0], args[1:]
	rest, err := p.parseAround("keys", data.declare, args)
	if err != nil {
		return err
	}
	kid := ""
	if action == "retire" && len(rest) > 0 {
		kid, rest = rest[0], rest[1:]
	}
	if len(rest) > 0 {
		return usagef("%q is one argument too many", rest[0])
	}
	switch action {
	case "list":
		return listKeys(p, &data)
	case "jwks":
		return printJWKS(p, &data)
	case "rotate":
		return rotateKey(p, &data)
	case "retire":
		if kid == "" {
			return usagef("say which key to retire: its KID, as \"magiclink keys list\" shows it")
		}
		return changeKeys(&data, func(keys *magiclink.Keyring) error { return keys.Retire(kid) })
	}
	return usagef("%q is not list, rotate, retire or jwks", action)
}

func rotateKey(p *program, data *dataDir) error {
	id := ""
	err := changeKeys(data, func(keys *magiclink.Keyring) (err error) {
		id, err = keys.Rotate()
		return err
	})
	if err == nil {
		_, err = fmt.Fprintln(p.stdout, id)
	}
	return err
}

func listKeys(p *program, data *dataDir) error {
	keys, err := data.keys()
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "KID\tALGORITHM\tUSE\tCREATED")
	for _, key := range keys.Keys() {
		use, created := "verifies", "unknown"
		if key.Active {
			use = "signs"
		}
		if !key.CreatedAt.IsZero() {
			created = key.CreatedAt.Format("2006-01-02T15:04:05Z")
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", key.ID, key.Algorithm, use, created)
	}
	return table.Flush()
}

func printJWKS(p *program, data *dataDir) error {
	keys, err := data.keys()
	if err != nil {
		return err
	}
	jwks, err := keys.PublicJWKS()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "%s\n", jwks)
	return err
}

// changeKeys loads, changes and saves the ring while no other process does.
func changeKeys(data *dataDir, change func(*magiclink.Keyring) error) error {
	if err := data.exists(); err != nil {
		return err
	}
	return data.locked(func() error {
		keys, err := data.keys()
		if err != nil {
			return err
		}
		if err := change(keys); err != nil {
			return err
		}
		return keys.Save(data.keysPath())
	})
}
