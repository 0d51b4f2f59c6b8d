package pipeline

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// earliest is the Next of a partition that was never scored: the first record
// which the topic still has.
const earliest int64 = -1

// Fence says who owns a partition's states and how far they have come. It is
// stored beside them, compared byte for byte before and replaced with every
// write, so that an owner whose time is over cannot write any more.
type Fence struct {
	// Epoch rises with every claim. It is for people who read the store; what
	// tells claims apart is the nonce, since a failover can set a counter back
	// and give the same epoch out twice.
	Epoch int64
	// Nonce is drawn at random for each claim.
	Nonce string
	// Next is the offset of the first record that the states do not contain,
	// or -1 when nothing was scored yet.
	Next int64
	// Watermark is the newest event time that was scored.
	Watermark schemas.Time
	// Policy is the policy set which scores from Next on.
	Policy schemas.Hash
	// Format is the version of the states' binary form.
	Format int
	// Since is the offset from which on Policy has scored, -1 when no other
	// policy set has made anything of the states.
	Since int64
}

// String returns the stored form, epoch|nonce|next|watermark|policy|format|since.
func (f Fence) String() string {
	return fmt.Sprintf("%d|%s|%d|%d|%016x|%d|%d", f.Epoch, f.Nonce, f.Next, int64(f.Watermark), uint64(f.Policy), f.Format, f.Since)
}

// ParseFence reads the stored form.
func ParseFence(text string) (Fence, error) {
	parts := strings.Split(text, "|")
	if len(parts) == 6 {
		parts = append(parts, "-1") // of a build that did not keep since
	}
	if len(parts) != 7 {
		return Fence{}, fmt.Errorf("reading fence %q: %d fields instead of 7", text, len(parts))
	}
	var numbers [7]int64
	for i, part := range parts {
		var err error
		switch i {
		case 1:
		case 4:
			var hash uint64
			hash, err = strconv.ParseUint(part, 16, 64)
			numbers[i] = int64(hash)
		default:
			numbers[i], err = strconv.ParseInt(part, 10, 64)
		}
		if err != nil {
			return Fence{}, fmt.Errorf("reading fence %q: field %d: %w", text, i+1, err)
		}
	}
	return Fence{
		Epoch: numbers[0], Nonce: parts[1], Next: numbers[2], Watermark: schemas.Time(numbers[3]),
		Policy: schemas.Hash(numbers[4]), Format: int(numbers[5]), Since: numbers[6],
	}, nil
}
