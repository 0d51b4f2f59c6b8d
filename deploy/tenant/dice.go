package tenant

import (
	"encoding/hex"
	"math/rand/v2"

	"github.com/riskpipe/riskpipe/schemas"
)

// dice is the only source of chance. It is thrown anew for every person and
// day, so that one person's story does not shift everybody else's.
type dice struct {
	pcg *rand.PCG
	*rand.Rand
}

func newDice(seed, stream uint64) dice {
	pcg := rand.NewPCG(seed, stream)
	return dice{pcg, rand.New(pcg)}
}

// between returns a number from low to high, both included.
func (d dice) between(low, high int) int {
	if high <= low {
		return low
	}
	return low + d.IntN(high-low+1)
}

// chance returns true with the probability p.
func (d dice) chance(p float64) bool { return d.Float64() < p }

// some returns a whole number whose mean is the given one.
func (d dice) some(mean float64) int {
	spread := mean * (0.4 + 1.2*d.Float64())
	n := int(spread)
	if d.Float64() < spread-float64(n) {
		n++
	}
	return n
}

// span returns a length of time from low to high.
func (d dice) span(low, high schemas.Time) schemas.Time {
	return low + schemas.Time(d.Int64N(int64(high-low)+1))
}

func pick[T any](d dice, list []T) T { return list[d.IntN(len(list))] }

// guid is an identifier as Microsoft writes them.
type guid [2]uint64

func (d dice) guid() guid {
	g := guid{d.Uint64(), d.Uint64()}
	g[0] = g[0]&^0xf000 | 0x4000     // version 4, RFC 9562
	g[1] = g[1]&^(0xc<<60) | 0x8<<60 // its variant
	return g
}

// appendHex appends the last digits of n.
func appendHex(b []byte, n uint64, digits int) []byte {
	const alphabet = "0123456789abcdef"
	for shift := (digits - 1) * 4; shift >= 0; shift -= 4 {
		b = append(b, alphabet[n>>shift&15])
	}
	return b
}

func (g guid) appendTo(b []byte) []byte {
	b = appendHex(b, g[0]>>32, 8)
	b = append(b, '-')
	b = appendHex(b, g[0]>>16, 4)
	b = append(b, '-')
	b = appendHex(b, g[0], 4)
	b = append(b, '-')
	b = appendHex(b, g[1]>>48, 4)
	b = append(b, '-')
	return appendHex(b, g[1], 12)
}

func (g guid) String() string { return string(g.appendTo(make([]byte, 0, 36))) }

// hexText returns random hexadecimal digits: hashes and device ids.
func (d dice) hexText(bytes int) string {
	b := make([]byte, bytes)
	for i := range b {
		b[i] = byte(d.Uint64())
	}
	return hex.EncodeToString(b)
}
