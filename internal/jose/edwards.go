package jose

import (
	"errors"
	"math/big"
	"slices"
)

// The field and the curve of Ed25519 (RFC 8032 section 5.1): -x² + y² = 1 + d·x²·y² modulo p = 2^255 - 19.
var (
	one         = big.NewInt(1)
	edwardsP    = new(big.Int).Sub(new(big.Int).Lsh(one, 255), big.NewInt(19))
	edwardsD    = decimal("37095705934669439343138083508754565189542113879843219016388785533085940283555")
	orderEightY = decimal("2707385501144840649318225287225658788936804267575313519463743609750303402022")
)

func decimal(digits string) *big.Int {
	n, _ := new(big.Int).SetString(digits, 10)
	return n
}

// smallOrder are the y coordinates of the eight points whose order divides 8: 1 (order 1), -1 (order 2), 0 (order 4)
// and ±orderEightY (order 8). With such a key one signature verifies for many texts.
var smallOrder = []*big.Int{
	new(big.Int), one, new(big.Int).Sub(edwardsP, one), orderEightY, new(big.Int).Sub(edwardsP, orderEightY),
}

// checkEdwards refuses an encoded point that is not on the curve, is not in the one canonical encoding, or has a small
// order. The verifier of the standard library takes keys of the last two kinds.
func checkEdwards(encoded [32]byte) error {
	encoded[31] &= 0x7f // the sign of x
	slices.Reverse(encoded[:])
	y := new(big.Int).SetBytes(encoded[:])
	if y.Cmp(edwardsP) >= 0 {
		return errors.New("the Ed25519 public key is not in its canonical encoding")
	}
	// The two points with x = 0 have a second encoding with the sign set. Both points are among these.
	if slices.ContainsFunc(smallOrder, func(small *big.Int) bool { return small.Cmp(y) == 0 }) {
		return errors.New("the Ed25519 public key is a point of small order, under which signatures can be forged")
	}
	if !onEdwards(y) {
		return errors.New("the Ed25519 public key is not a point of the curve")
	}
	return nil
}

// onEdwards reports whether the curve has a point with this y: whether x² = (y²-1)/(d·y²+1) is a square. A quotient is a
// square exactly when the product is.
func onEdwards(y *big.Int) bool {
	square := new(big.Int).Mul(y, y)
	u := new(big.Int).Sub(square, one)
	v := new(big.Int).Mul(square, edwardsD)
	v.Add(v, one)
	product := u.Mul(u, v)
	return big.Jacobi(product.Mod(product, edwardsP), edwardsP) >= 0
}
