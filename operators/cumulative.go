package operators

import "math/big"

// Cumulative exfiltration, low and slow: of the last 30 days, on how many did
// anything leave by the listed ways? Under the hypothesis that the person goes on
// as in the 60 days before, with h such days of n known, that number follows the
// beta-binomial distribution with parameters 30, h+1 and n-h+9: the days are
// independent at a rate that is known only as well as n days tell, and is one in
// ten where nothing is known. The measure is 1 (low) when the tail probability of
// what was seen is at most 1 in 1,000, 2 (medium) at 1 in 10,000, 3 (high) at 1 in
// 1,000,000.
//
// That is the false-alarm rate of a person over 30 days, averaged over rates of
// people as the assumption has them; TestCumulative_falseAlarms states what it is
// at each rate. How much leaves on a day does not matter here; the volume
// indicators measure that.
const (
	cumulativeDays   = 30
	cumulativeBefore = 60
	priorHits        = 1
	priorMisses      = 9
)

// falseAlarms are the significance levels of low, medium and high, as 1 in n.
var falseAlarms = [3]int64{1_000, 10_000, 1_000_000}

// critical holds, for n days known and h of them with exfiltration, from how
// many of 30 days each level is reached.
type critical [cumulativeBefore + 1][cumulativeBefore + 1][3]uint8

func newCritical() *critical {
	var binomials [cumulativeDays + 1]*big.Int
	for k := range binomials {
		binomials[k] = new(big.Int).Binomial(cumulativeDays, int64(k))
	}
	hits, misses := risings(priorHits), risings(priorMisses)
	var table critical
	for n := range cumulativeBefore + 1 {
		whole := new(big.Int).MulRange(int64(n+priorHits+priorMisses), int64(n+priorHits+priorMisses+cumulativeDays-1))
		for h := range n + 1 {
			table[n][h] = criticalValues(&binomials, &hits[h], &misses[n-h], whole)
		}
	}
	return &table
}

// criticalValues returns the least k with P(K ≥ k) at most each level, for K
// beta-binomial over 30 days. With rising factorials (x)_m = x·(x+1)·…·(x+m-1),
// P(K = k) is C(30, k)·(a)_k·(b)_(30-k) / (a+b)_30.
func criticalValues(binomials, a, b *[cumulativeDays + 1]*big.Int, whole *big.Int) (values [3]uint8) {
	tail, term := new(big.Int), new(big.Int)
	for i := range values {
		values[i] = cumulativeDays + 1
	}
	for k := cumulativeDays; k >= 0; k-- {
		term.Mul(a[k], b[cumulativeDays-k])
		tail.Add(tail, term.Mul(term, binomials[k]))
		for i, level := range falseAlarms {
			if term.Mul(tail, big.NewInt(level)).Cmp(whole) <= 0 {
				values[i] = uint8(k)
			} else if i == 0 {
				return values
			}
		}
	}
	return values
}

// risings returns the rising factorials (from+i)_m, for i up to the days before
// and m up to the days looked at.
func risings(from int64) (table [cumulativeBefore + 1][cumulativeDays + 1]*big.Int) {
	for i := range table {
		table[i][0] = big.NewInt(1)
		for m := int64(1); m <= cumulativeDays; m++ {
			table[i][m] = new(big.Int).Mul(table[i][m-1], big.NewInt(from+int64(i)+m-1))
		}
	}
	return table
}

// cumulative returns on how many of the last 30 days anything was measured by
// the keys, and how significant that is: 1 at low, 2 at medium, 3 at high, else 0.
func (s *State) cumulative(keys []uint32, table *critical) (hits, level int64) {
	var days [cumulativeDays + cumulativeBefore]bool
	oldest := s.today - (cumulativeDays + cumulativeBefore) + 1
	for _, key := range keys {
		if m := s.find(key); m != nil {
			for _, a := range m.days {
				if a.day >= oldest && a.day <= s.today {
					days[a.day-oldest] = true
				}
			}
		}
	}
	before := 0
	for i, hit := range days {
		switch {
		case !hit:
		case i < cumulativeBefore:
			before++
		default:
			hits++
		}
	}
	known := min(max(int(s.today-s.first)+1-cumulativeDays, before, 0), cumulativeBefore)
	for _, from := range table[known][before] {
		if hits >= int64(from) {
			level++
		}
	}
	return hits, level
}
