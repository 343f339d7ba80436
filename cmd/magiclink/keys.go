package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"text/tabwriter"
	"time"

	"github.com/magiclink-go/magiclink"
)

// keysFlags are the flags of the keys command.
type keysFlags struct {
	data  dataDir
	force bool
	json  bool
}

func (f *keysFlags) declare(set *flag.FlagSet) {
	f.data.declare(set)
	declareJSON(set, &f.json)
	set.BoolVar(&f.force, "force", false, "rotate, retire: now, although tokens become invalid too early")
}

func keysCommand() *command {
	return &command{
		name:    "keys",
		args:    "list | prepare | rotate | retire KID | jwks [flags]",
		summary: "lists, prepares, rotates, retires and publishes the keys",
		long: "Changes the keyring of the data directory in three steps, so that no link, session or access token becomes invalid:\n" +
			"  prepare     makes the next key and publishes it, and prints its id; it does not sign yet\n" +
			"  rotate      lets the prepared key sign, and prints its id; a minute after prepare, when every verifier that keeps\n" +
			"              the JWK set has fetched it anew\n" +
			"  retire KID  removes a key that has stopped signing, when everything that it signed has expired: links live for 15\n" +
			"              minutes, access tokens for a day, sessions for up to 92 days\n" +
			"list shows the keys, and from when each may be retired. jwks prints the public keys as a JWK set.\n" +
			"A running serve follows within a second. \"serve -rotate-every 720h\" does all three steps by itself.",
		example: "magiclink keys prepare && sleep 65 && magiclink keys rotate",
		flags:   new(keysFlags).declare,
		run:     runKeys,
	}
}

func runKeys(_ context.Context, p *program, args []string) error {
	var f keysFlags
	words, err := p.parse("keys", f.declare, args)
	if err != nil {
		return err
	}
	name, words, err := action(words, []string{"list", "prepare", "rotate", "retire", "jwks"})
	if err != nil {
		return err
	}
	if name == "retire" {
		kid, err := oneWord(words, `say which key to retire: magiclink keys retire KID; "magiclink keys list" shows the ids`)
		if err != nil {
			return err
		}
		return changeKeys(&f.data, func(r *rotation) error { return r.retire(kid, f.force) })
	}
	if err := noWords(words); err != nil {
		return err
	}
	switch name {
	case "list":
		return f.list(p)
	case "jwks":
		return f.jwks(p)
	case "prepare":
		return f.printChanged(p, (*rotation).prepare)
	}
	return f.rotate(p)
}

// rotate makes a key file where there is none if it is forced to.
func (f *keysFlags) rotate(p *program) error {
	if f.force && f.lost() {
		return f.beginAnew(p)
	}
	return f.printChanged(p, func(r *rotation) (string, error) { return r.rotate(f.force) })
}

// lost reports whether there is no key file where one could be.
func (f *keysFlags) lost() bool {
	if f.data.keysFile != "" {
		_, err := os.Lstat(f.data.keysFile)
		return errors.Is(err, fs.ErrNotExist)
	}
	found, err := f.data.look()
	return err == nil && !found.keys && (found.database || found.config)
}

func (f *keysFlags) beginAnew(p *program) error {
	if f.data.keysFile == "" {
		if err := checkDirectory(f.data.path); err != nil {
			return err
		}
	}
	var keys *magiclink.Keyring
	err := locked(f.data.keysPath(), func() (err error) {
		keys, err = newKeys(&f.data)
		return err
	})
	if err == nil {
		_, err = fmt.Fprintln(p.stdout, keys.Keys()[0].ID)
	}
	return err
}

// printChanged changes the keys and prints the id of the key that the change is about.
func (f *keysFlags) printChanged(p *program, change func(*rotation) (string, error)) error {
	id := ""
	err := changeKeys(&f.data, func(r *rotation) (err error) {
		id, err = change(r)
		return err
	})
	if err == nil {
		_, err = fmt.Fprintln(p.stdout, id)
	}
	return err
}

// listedKey is one key as "keys list -json" prints it.
type listedKey struct {
	KID         string     `json:"kid"`
	Algorithm   string     `json:"algorithm"`
	Use         string     `json:"use"` // signs, prepared or verifies
	CreatedAt   *time.Time `json:"created_at"`
	StoppedAt   *time.Time `json:"stopped_at"`   // when it stopped signing
	RetireAfter *time.Time `json:"retire_after"` // when everything that it signed has expired
}

func (f *keysFlags) list(p *program) error {
	r, err := loadRotation(&f.data, time.Now())
	if err != nil {
		return err
	}
	keys := make([]listedKey, 0, 3)
	for _, info := range r.keys.Keys() {
		keys = append(keys, r.listed(info))
	}
	if f.json {
		return printJSON(p.stdout, keys)
	}
	table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "KID\tALGORITHM\tUSE\tCREATED\tRETIRE AFTER")
	for _, key := range keys {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n",
			key.KID, key.Algorithm, key.Use, when(key.CreatedAt, "unknown"), when(key.RetireAfter, "-"))
	}
	return table.Flush()
}

func when(at *time.Time, otherwise string) string {
	if at == nil {
		return otherwise
	}
	return at.UTC().Format(time.RFC3339)
}

func (f *keysFlags) jwks(p *program) error {
	keys, err := f.data.keys()
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
