package suite

import (
	"context"
	"crypto/ed25519"
	"errors"
	"testing"
	"time"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/benchmarks/internal/measure"
	"github.com/magiclink-go/magiclink/internal/jose"
	"github.com/magiclink-go/magiclink/store/memory"
)

// trivial is a store that costs nothing.
type trivial struct {
	magiclink.Store
	record magiclink.Record
}

// Create implements [magiclink.Store].
func (trivial) Create(context.Context, magiclink.Record) error { return nil }

// Get implements [magiclink.Store].
func (t trivial) Get(context.Context, string) (magiclink.Record, error) { return t.record, nil }

// signing is the work of the section, each piece a call.
type signing struct {
	bareSign, mint, issueNowhere, issueMemory func() error
	bareVerify, verify, inspect               func() error
}

var errRefused = errors.New("a signature was refused")

func newSigning(ctx context.Context) (*signing, error) {
	m, err := newMinter()
	if err != nil {
		return nil, err
	}
	now, id := time.Now(), filledID(1)
	token, err := m.mint(id, now)
	if err != nil {
		return nil, err
	}
	nowhere, err := newPair(trivial{record: magiclink.Record{ID: id, ExpiresAt: now.Add(time.Hour)}})
	if err != nil {
		return nil, err
	}
	inMemory, err := newPair(memory.New())
	if err != nil {
		return nil, err
	}
	w := &signing{mint: mintCall(m, id, now), verify: verifyCall(m, token)}
	w.bare(token)
	w.issueNowhere = issueCall(ctx, nowhere)
	w.issueMemory = issueCall(ctx, inMemory)
	w.inspect = func() error {
		_, err := nowhere.redeemer.Inspect(ctx, token)
		return err
	}
	return w, nil
}

// bare signs and verifies a text as long as that of the token with nothing around.
func (w *signing) bare(token string) {
	const signature = 1 + 86 // with its dot, in base64url
	key, text := seededKey(), []byte(token[:len(token)-signature])
	public, signed := key.Public().(ed25519.PublicKey), ed25519.Sign(key, text)
	w.bareSign = func() error {
		ed25519.Sign(key, text)
		return nil
	}
	w.bareVerify = func() error {
		if !ed25519.Verify(public, text, signed) {
			return errRefused
		}
		return nil
	}
}

// mintCall makes the string of a token, as an Issuer does, from claims that are there.
func mintCall(m minter, id string, now time.Time) func() error {
	claims := m.claims(id, now)
	var token string
	return func() error {
		buf, err := m.key.AppendSigned(make([]byte, 0, 640), jose.Link, claims)
		token = string(buf)
		if token == "" {
			return errRefused
		}
		return err
	}
}

func verifyCall(m minter, token string) func() error {
	find := func(string) *jose.Key { return m.key }
	return func() error {
		_, err := jose.Verify(token, jose.Link, find)
		return err
	}
}

func issueCall(ctx context.Context, p pair) func() error {
	return func() error {
		_, err := p.issuer.Issue(ctx, input())
		return err
	}
}

func (s *Suite) crypto(ctx context.Context) ([]measure.Result, error) {
	w, err := newSigning(ctx)
	if err != nil {
		return nil, err
	}
	rates, err := measure.Interleave(s.plan(11, 20*time.Millisecond),
		measure.Compute("bare signature", w.bareSign), measure.Compute("mint", w.mint),
		measure.Compute("issue", w.issueNowhere), measure.Compute("issue in memory", w.issueMemory),
		measure.Compute("bare verification", w.bareVerify), measure.Compute("verify", w.verify),
		measure.Compute("inspect", w.inspect))
	if err != nil {
		return nil, err
	}
	sign, verify := rates[0].Costs(), rates[4].Costs()
	tenth, quarter := measure.AtMost(1.10), measure.AtMost(1.25)
	const bareSign, bareVerify = "bare Ed25519 signature", "bare Ed25519 verification"
	return []measure.Result{
		costs("Mint a token", rates[1].Costs(), sign, bareSign, &tenth),
		costs("Issue, to a store that does nothing", rates[2].Costs(), sign, bareSign, nil),
		costs("Issue, to the memory store", rates[3].Costs(), sign, bareSign, &quarter),
		costs("Verify a token's form and signature", rates[5].Costs(), verify, bareVerify, &tenth),
		costs("Inspect: every check, a store that does nothing", rates[6].Costs(), verify, bareVerify, &tenth),
		allocations("Allocations of a mint", w.mint, 6),
		allocations("Allocations of an Issue, to the memory store", w.issueMemory, 20),
	}, nil
}

func costs(name string, ours, floor measure.Rates, against string, goal *measure.Goal) measure.Result {
	return measure.Result{
		Name: name, Unit: "µs", Ours: ours.Spread(), Floor: floor.Spread(), Against: against, Ratio: ours.Over(floor), Goal: goal,
	}
}

func allocations(name string, call func() error, most float64) measure.Result {
	count := testing.AllocsPerRun(2000, func() { _ = call() }) // it has succeeded often enough before
	goal := measure.AtMost(most)
	return measure.Figure(name, "", measure.Exactly(count), &goal)
}
