package chaos

import (
	"math"
	"slices"
	"testing"
)

// trend is the Theil–Sen slope of values taken at equal distances, the median of
// the slopes between all pairs: up to a quarter of the values may be outliers.
func trend(values []float64) float64 {
	var slopes []float64
	for i := range values {
		for j := i + 1; j < len(values); j++ {
			slopes = append(slopes, (values[j]-values[i])/float64(j-i))
		}
	}
	return median(slopes)
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// growth is by how much a trend raises the values from the first to the last.
func growth(values []float64) float64 { return trend(values) * float64(len(values)-1) }

// A leak shows through noise and outliers, and noise alone is no leak.
func TestGrowth(t *testing.T) {
	flat, leak := []float64{}, []float64{}
	for i := range 30 {
		noise := 10 * math.Sin(float64(i*i))
		if i%7 == 0 {
			noise += 200 // a collection that came late
		}
		flat = append(flat, 100+noise)
		leak = append(leak, 100+noise+3*float64(i))
	}
	if g := growth(flat); math.Abs(g) > 10 {
		t.Errorf("noise grows by %.1f", g)
	}
	if g := growth(leak); math.Abs(g-87) > 15 {
		t.Errorf("a leak of 87 shows as %.1f", g)
	}
	if growth(nil) != 0 || growth([]float64{5}) != 0 {
		t.Error("one value has a trend")
	}
}
