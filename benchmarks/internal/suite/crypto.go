package suite

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"strings"
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
}

// Create implements [magiclink.Store].
func (trivial) Create(context.Context, magiclink.Record) error { return nil }

// Get implements [magiclink.Store].
func (t trivial) Get(_ context.Context, id string) (magiclink.Record, error) {
	return magiclink.Record{ID: id, ExpiresAt: distant}, nil
}

var distant = time.Now().Add(24 * time.Hour)

// signing is the work of the section, each piece a call.
type signing struct {
	bareSign, mint, issueNowhere, issueMemory func() error
	bareVerify, verify, inspect, inspectAgain func() error
}

var (
	errRefused = errors.New("a signature was refused")
	errUsedUp  = errors.New("all tokens were verified before the time was over")
)

// newSigning prepares the work; many is how often, at most, a token will be verified.
func newSigning(ctx context.Context, many int) (*signing, error) {
	m, err := newMinter()
	if err != nil {
		return nil, err
	}
	now, id := time.Now(), filledID(1)
	tokens, err := strangers(many, now)
	if err != nil {
		return nil, err
	}
	nowhere, err := newPair(trivial{})
	if err != nil {
		return nil, err
	}
	inMemory, err := newPair(memory.New())
	if err != nil {
		return nil, err
	}
	w := &signing{mint: mintCall(m, id, now), verify: once(tokens, verifyCall(m))}
	parts, err := signedParts(tokens)
	if err != nil {
		return nil, err
	}
	w.bareSign, w.bareVerify = bareSignCall(parts[0].text), once(parts, bareVerifyCall())
	w.issueNowhere = issueCall(ctx, nowhere)
	w.issueMemory = issueCall(ctx, inMemory)
	inspect := inspectCall(ctx, nowhere)
	w.inspect = once(tokens, inspect)
	w.inspectAgain = func() error { return inspect(tokens[0]) }
	return w, nil
}

// signed is the part of a token that is signed, and its signature.
type signed struct{ text, signature []byte }

func signedParts(tokens []string) ([]signed, error) {
	parts := make([]signed, len(tokens))
	for n, token := range tokens {
		dot := strings.LastIndexByte(token, '.')
		signature, err := base64.RawURLEncoding.DecodeString(token[dot+1:])
		if err != nil {
			return nil, err
		}
		parts[n] = signed{text: []byte(token[:dot]), signature: signature}
	}
	return parts, nil
}

// bareSignCall signs with nothing around.
func bareSignCall(text []byte) func() error {
	key := seededKey()
	return func() error {
		ed25519.Sign(key, text)
		return nil
	}
}

// bareVerifyCall verifies a signature with nothing around.
func bareVerifyCall() func(signed) error {
	public := seededKey().Public().(ed25519.PublicKey)
	return func(s signed) error {
		if !ed25519.Verify(public, s.text, s.signature) {
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

// strangers are tokens that nobody has seen who verifies them.
func strangers(n int, now time.Time) ([]string, error) {
	m, err := newMinter()
	if err != nil {
		return nil, err
	}
	tokens := make([]string, n)
	for n := range tokens {
		if tokens[n], err = m.mint(filledID(n), now); err != nil {
			return nil, err
		}
	}
	return tokens, nil
}

// once calls do with each item in turn, so that each is new to it.
func once[T any](items []T, do func(T) error) func() error {
	return func() error {
		if len(items) == 0 {
			return errUsedUp
		}
		item := items[0]
		items = items[1:]
		return do(item)
	}
}

func verifyCall(m minter) func(token string) error {
	keys := []*jose.Key{m.key}
	return func(token string) error {
		_, err := jose.Verify(token, jose.Link, keys)
		return err
	}
}

func inspectCall(ctx context.Context, p pair) func(token string) error {
	return func(token string) error {
		_, err := p.redeemer.Inspect(ctx, token)
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
	plan := s.plan(11, 20*time.Millisecond)
	const leastCost = 15 * time.Microsecond // of a verification, on machines to come
	w, err := newSigning(ctx, int(time.Duration(plan.Runs*plan.Rounds+1)*plan.Slice/leastCost))
	if err != nil {
		return nil, err
	}
	rates, err := measure.Interleave(plan,
		measure.Compute("bare signature", w.bareSign), measure.Compute("mint", w.mint),
		measure.Compute("issue", w.issueNowhere), measure.Compute("issue in memory", w.issueMemory),
		measure.Compute("bare verification", w.bareVerify), measure.Compute("verify", w.verify),
		measure.Compute("inspect", w.inspect), measure.Compute("inspect again", w.inspectAgain))
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
		costs("Inspect a link that the process has seen before", rates[7].Costs(), verify, bareVerify, nil),
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
