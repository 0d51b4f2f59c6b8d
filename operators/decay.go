package operators

// Decay and diminishing weights in integers: the same on every machine, which
// math.Exp and math.Pow, with their assembly per architecture, are not.

const (
	decaySteps = 64
	one32      = 1 << 32
)

// halfPowers holds 2^(-i/64) as a fraction of 2^32, rounded down. Row i is the
// integer 64th root of 2^(32·64-i), which newHalfPowers finds by squaring.
var halfPowers = newHalfPowers()

// newHalfPowers computes the table by repeated integer square roots:
// 2^(-1/2), 2^(-1/4), … 2^(-1/64), and products of them.
func newHalfPowers() [decaySteps]uint64 {
	var roots [6]uint64 // roots[k] = 2^(-1/2^(k+1)) · 2^32
	value := uint64(1 << 31)
	for k := range roots {
		value = squareRoot(value << 32)
		roots[k] = value
	}
	var table [decaySteps]uint64
	for i := range table {
		product := uint64(one32)
		for k := range roots {
			if i&(decaySteps>>(k+1)) != 0 {
				product = product * roots[k] >> 32
			}
		}
		table[i] = product
	}
	return table
}

// decayed returns the points that are left after age, of which half goes every
// halfLife days.
func decayed(points int64, age, halfLife Days) int64 {
	if age <= 0 {
		return points
	}
	halvings := int64(age) / int64(halfLife)
	if halvings > 40 {
		return 0
	}
	step := int64(age) % int64(halfLife) * decaySteps / int64(halfLife)
	return int64(uint64(points)*halfPowers[step]>>32) >> halvings
}

const weightScale = 1 << 16

// weights holds i^(-1.5) as a fraction of 2^16: what the i-th strongest day of
// an indicator counts. Elastic's entity risk scoring uses the same series; its
// sum is at most 2.612, so repeating a thing never counts like new things.
var weights = newWeights()

func newWeights() [historyDays + 1]int64 {
	var table [historyDays + 1]int64
	for i := uint64(1); i < uint64(len(table)); i++ {
		table[i] = int64(squareRoot(one32 / (i * i * i)))
	}
	table[1] = weightScale
	return table
}

// squareRoot returns the integer square root, rounded down.
func squareRoot(n uint64) uint64 {
	if n < 2 {
		return n
	}
	root := uint64(0)
	for bit := uint64(1) << 31; bit > 0; bit >>= 1 {
		if next := root | bit; next <= n/next {
			root = next
		}
	}
	return root
}
