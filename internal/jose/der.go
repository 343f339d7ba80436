package jose

import "errors"

var errDER = errors.New("the crypto.Signer returned a signature that is not the DER form of an ECDSA signature on P-256")

const p256Bytes = 32

// fixedWidth turns the DER form of a P-256 signature, SEQUENCE { r INTEGER, s INTEGER } of RFC 3279 section 2.2.3, into
// r‖s of 32 bytes each (RFC 7518 section 3.4). It takes DER alone: the shortest lengths and numbers, nothing in front,
// between or behind. Whether r and s are below the order of the curve is left to the verification that follows.
func fixedWidth(der []byte) ([]byte, error) {
	const sequence = 0x30
	// Two numbers of 33 bytes make 70: a length is always one byte.
	if len(der) < 2 || der[0] != sequence || der[1] > 2*(2+1+p256Bytes) || int(der[1]) != len(der)-2 {
		return nil, errDER
	}
	signature := make([]byte, 2*p256Bytes)
	rest, ok1 := takeInteger(der[2:], signature[:p256Bytes])
	rest, ok2 := takeInteger(rest, signature[p256Bytes:])
	if !ok1 || !ok2 || len(rest) != 0 {
		return nil, errDER
	}
	return signature, nil
}

// takeInteger reads one positive number from the front of der into out, and returns what follows.
func takeInteger(der, out []byte) (rest []byte, ok bool) {
	const integer = 0x02
	if len(der) < 3 || der[0] != integer || der[1] == 0 || int(der[1]) > len(der)-2 {
		return nil, false
	}
	number, rest := der[2:2+der[1]], der[2+der[1]:]
	if number[0]&0x80 != 0 { // negative
		return nil, false
	}
	if number[0] == 0 {
		// A leading zero is there only to keep the number positive. The number zero is no part of a signature.
		if number = number[1:]; len(number) == 0 || number[0]&0x80 == 0 {
			return nil, false
		}
	}
	if len(number) > len(out) {
		return nil, false
	}
	copy(out[len(out)-len(number):], number)
	return rest, true
}
