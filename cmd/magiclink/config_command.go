package main

import (
	"context"
	"flag"
	"fmt"
)

// configFlags are the flags of the config command.
type configFlags struct{ data dataDir }

func (f *configFlags) declare(set *flag.FlagSet) { f.data.declare(set) }

func configCommand() *command {
	return &command{
		name:    "config",
		args:    "check [flags]",
		summary: "checks the configuration file",
		long: `Checks config.json without starting anything. The file is one JSON object:

  {"clients":    [{"id": "crm", "secret_sha256": "<64 hexadecimal digits>", "tenant": "t1",
                   "scopes": ["auth:create"], "business_id": null}],
   "businesses": [{"id": "biz_GA6EG2qFxA97NZHtxeLPUy", "tenant": "t1", "external_id": "acme"}],
   "sign_in":    {"tenant": "t1", "external_business_id": "acme", "domains": ["example.com"]}}

  clients[].id             the OAuth client id: 1 to 255 characters of visible ASCII
  clients[].secret_sha256  the SHA-256 of the secret: printf %s "$SECRET" | sha256sum
  clients[].tenant         the tenant that the client belongs to: 1 to 255 characters
  clients[].scopes         what the client may ask for: auth:create issues links, auth:read lists links and sessions
                           with their addresses and shows limits, auth:revoke ends and resets them
  clients[].business_id    the one business that the client is confined to, or null for every business of the tenant
  businesses[].id          "biz_" and 22 characters; "magiclink businesses add" makes one
  businesses[].tenant      the tenant that the business belongs to
  businesses[].external_id the tenant's own id for the business: at most 255 characters
  sign_in                  who may sign in by mail at /sign-in; without it nobody can, and these routes are 404
  sign_in.tenant, sign_in.external_business_id
                           the business that their links belong to
  sign_in.domains          whose addresses may sign in: what stands behind the @, in lower case; ["*"] lets every address in
  sign_in.development      true, in place of domains, lets every address in on this machine alone: serve refuses it when links
                           begin with another host than a loopback one, and when mails are sent

Members with other names are refused. The file belongs to the user that serve runs as, or to root, and nobody else can
write to it: chmod 600 config.json. A running serve follows a change within a second. While the file has a fault, serve
keeps the configuration that it has, logs the fault, and answers 503 at /readyz.`,
		example: "magiclink config check -data /var/lib/magiclink",
		flags:   new(configFlags).declare,
		run:     runConfig,
	}
}

func runConfig(_ context.Context, p *program, args []string) error {
	var f configFlags
	words, err := p.parse("config", f.declare, args)
	if err != nil {
		return err
	}
	_, words, err = action(words, []string{"check"})
	if err == nil {
		err = noWords(words)
	}
	if err != nil {
		return err
	}
	config, err := f.data.readConfig()
	if err != nil {
		return err
	}
	signIn := ""
	if config.SignIn != nil {
		signIn = fmt.Sprintf(", sign-in to %q for %s", config.SignIn.ExternalBusinessID, config.SignIn.who())
	}
	_, err = fmt.Fprintf(p.stdout, "%s is valid: %s, %s%s\n", f.data.configPath(),
		count(len(config.Clients), "client", "clients"), count(len(config.Businesses), "business", "businesses"), signIn)
	return err
}

// count writes a number with its noun.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
