package operators

// IndicatorFile is a file of the catalogue: the indicators of one family.
type IndicatorFile struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string `yaml:"kind"`
	// Family is its name, Title says in a few words what they have in common.
	Family     string      `yaml:"family"`
	Title      string      `yaml:"title"`
	Indicators []Indicator `yaml:"indicators"`
}

// Indicator measures one kind of activity, day by day. Indicators are defined
// in the catalogue, once for all policies.
type Indicator struct {
	Name string `yaml:"name"`
	// Title says it in a few words.
	Title string `yaml:"title"`
	// Meaning says what it tells about, and from which source events.
	Meaning string `yaml:"meaning"`
	// Purview is the name of Microsoft Purview's nearest indicator.
	Purview string `yaml:"purview,omitempty"`
	// Category is what kind of act it is, one of Categories.
	Category string `yaml:"category"`
	// Activities are the activities that count.
	Activities []string `yaml:"activities,omitempty"`
	// Outcome is success (the default: what was refused did not happen),
	// failure or any.
	Outcome string `yaml:"outcome,omitempty"`
	// Select narrows them: field or field|modifier to the wanted value.
	Select Selection `yaml:"select,omitempty"`
	// When narrows them further by an expression in CEL over the event.
	When string `yaml:"when,omitempty"`
	// Measure says what is counted.
	Measure Measure `yaml:"measure"`
	// Window is the sliding window the measure is taken over: 1h to 24h, in
	// steps of an hour and within a day, or 1d to 30d, in steps of a day. A
	// calendar day when empty.
	Window Window `yaml:"window,omitempty"`
	// Objects is the field by which the things it happened to are followed from
	// step to step of a sequence: file.name or email.attachment_names.
	Objects string `yaml:"objects,omitempty"`
	// Thresholds map a day's measure to points, linearly between them.
	Thresholds Thresholds `yaml:"thresholds"`
	// Points are the evidence at the thresholds.
	Points PointScale `yaml:"points"`
	// Lanes count the same activity apart where it concerns what matters more,
	// with thresholds of their own; the lane that gives most points counts.
	Lanes map[string]Lane `yaml:"lanes,omitempty"`
	// HalfLife is after how long a day's evidence counts half.
	HalfLife Days `yaml:"half_life"`
	// Limit bounds the evidence of all days together, 0 for no bound.
	Limit Thousandths `yaml:"limit,omitempty"`
	// Habitual is whether the measure is compared with the person's own
	// history: true for volumes, false for what is never usual.
	Habitual bool `yaml:"habitual,omitempty"`
	// Tests are run by riskpipe policy test: at least one that counts
	// (positive), one that does not (negative), and one at a threshold
	// (boundary).
	Tests []IndicatorTest `yaml:"tests,omitempty"`
}

// Categories are the kinds of acts, after Microsoft Purview's.
var Categories = []string{
	"access", "collection", "obfuscation", "exfiltration", "deletion",
	"security", "browsing", "ai", "health", "infiltration",
}

// The measures.
const (
	measureEvents     = "event_count"     // events
	measureSum        = "value_sum"       // sum of a field
	measureValues     = "value_count"     // distinct values of a field
	measureFirstSeen  = "first_seen"      // values of a field never seen of this person before
	measureTravel     = "travel"          // journeys faster than an airliner
	measureOffHours   = "off_hours"       // hours of work in which the person does not usually work
	measureAfterLeave = "after_departure" // hours of work after the last working day
	measureSequence   = "sequence"        // things that went through all steps in order
	measureCumulative = "cumulative"      // significance of the days with exfiltration, 0 to 3, against the person's own rate
)

// Measure says what an indicator counts.
type Measure struct {
	// Type is event_count, value_count (distinct values of Field), value_sum (of
	// Field), first_seen (values of Field that are new), travel, off_hours,
	// after_departure, sequence or cumulative.
	Type  string `yaml:"type"`
	Field string `yaml:"field,omitempty"`
	// Steps are those of a sequence, in order; each lists alternative
	// indicators that have Objects.
	Steps [][]string `yaml:"steps,omitempty"`
	// Within is the longest time from the first step to the last, up to 7d.
	Within Days `yaml:"within,omitempty"`
	// Of lists the indicators of a cumulative measure.
	Of []string `yaml:"of,omitempty"`
}

// Thresholds are three amounts, rising.
type Thresholds struct {
	Low    Amount `yaml:"low"`
	Medium Amount `yaml:"medium"`
	High   Amount `yaml:"high"`
}

// PointScale holds the points at the thresholds, rising.
type PointScale struct {
	Low    Thousandths `yaml:"low"`
	Medium Thousandths `yaml:"medium"`
	High   Thousandths `yaml:"high"`
}

// Lane is a parallel count of an indicator.
type Lane struct {
	Thresholds Thresholds `yaml:"thresholds"`
	Points     PointScale `yaml:"points"`
}

// LaneNames are the lanes that an indicator may have, after Microsoft Purview's:
// sensitive content, priority content, unallowed domains. Which events are in a
// lane is the macro lane_sensitive, lane_priority or lane_unallowed of the lists.
var LaneNames = []string{"sensitive", "priority", "unallowed"}

// stored tells the measures that are kept in states under the indicator's key.
func (m Measure) stored() bool {
	switch m.Type {
	case measureEvents, measureSum, measureValues, measureFirstSeen, measureSequence:
		return true
	default:
		return false
	}
}

// matches tells the measures that count single events.
func (m Measure) matches() bool { return m.stored() && m.Type != measureSequence }

// logic is what of the indicator can change a score.
func (ind Indicator) logic() Indicator {
	ind.Title, ind.Meaning, ind.Purview, ind.Tests = "", "", "", nil
	return ind
}
