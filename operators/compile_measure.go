package operators

import (
	"slices"
	"strings"
)

// measure sees to it that what the indicator measures is counted, and returns
// the key it is kept under.
func (c *compiler) measure(ind *Indicator, p *compiled, exclusions []int32) uint32 {
	e := c.engine
	switch ind.Measure.Type {
	case measureOffHours, measureAfterLeave:
		e.asksWork = true
		return 0
	case measureCumulative:
		if c.critical == nil {
			c.critical = newCritical()
		}
		for _, name := range ind.Measure.Of {
			if other := c.library.indicator(name); other != nil {
				c.measure(other, p, exclusions)
			}
		}
		return 0
	case measureSequence:
		return c.sequenceOf(ind, p, exclusions)
	case measureTravel:
		key := keyOf(ind.Name)
		if e.journeys == nil {
			e.journeys = &counter{name: ind.Name, key: key}
		}
		e.journeys.renews |= p.renewal(ind)
		return key
	default:
		return c.counter(ind, "", p, exclusions)
	}
}

// measureKey names a measure in stored states. Policies that exclude different
// events count apart.
func (c *compiler) measureKey(ind *Indicator, lane string, exclusions []int32) uint32 {
	parts := []string{ind.Name}
	if lane != "" {
		parts[0] += "/" + lane
	}
	for _, x := range exclusions {
		parts = append(parts, c.engine.exclusions[x].Name)
	}
	slices.Sort(parts[1:]) // whatever other policies there are
	return keyOf(strings.Join(parts, "!"))
}

// counter returns the key of the counter of the indicator's events, or of those
// in a lane of it.
func (c *compiler) counter(ind *Indicator, lane string, p *compiled, exclusions []int32) uint32 {
	e := c.engine
	key := c.measureKey(ind, lane, exclusions)
	if index, made := c.counters[key]; made {
		e.counters[index].renews |= p.renewal(ind)
		return key
	}
	out := counter{
		name: ind.Name, key: key, kind: ind.Measure.Type, outcome: ind.Outcome, exclusions: exclusions, renews: p.renewal(ind),
		cited: citations(ind.Category), notable: max(int64(ind.Thresholds.Low)/2, 1),
	}
	if ind.Window != 0 && ind.Window < 24 {
		out.window = int(ind.Window)
	}
	selections := []Selection{ind.Select}
	if lane != "" {
		out.notable = max(int64(ind.Lanes[lane].Thresholds.Low)/2, 1)
		selections = append(selections, Selection{"macro": {"lane_" + lane}})
	}
	for _, selection := range selections {
		out.conditions = append(out.conditions, c.selection("indicator "+ind.Name, selection)...)
	}
	if ind.When != "" {
		when, err := c.when.compile(ind.When)
		if err != nil {
			c.fail("indicator %s: when: %w", ind.Name, err)
		} else {
			out.conditions = append(out.conditions, when)
		}
	}
	if name := ind.Measure.Field; name != "" {
		f := fields[name]
		out.number, out.values = f.summed(), f.distinct()
	}
	if lane == "" && ind.Objects != "" {
		out.objects = fields[ind.Objects].distinct()
		out.trail = ind.Measure.Type != measureValues || ind.Objects != ind.Measure.Field
	}
	index := int32(len(e.counters))
	c.counters[key] = index
	e.counters = append(e.counters, out)
	for _, activity := range ind.Activities {
		e.byActivity[activity] = append(e.byActivity[activity], index)
	}
	return key
}

// citations is how many events an indicator keeps for alerts to cite: few of
// what everybody does all day.
func citations(category string) int {
	switch category {
	case "collection", "access", "deletion", "browsing":
		return 2
	default:
		return 4
	}
}

// sequenceOf returns the key of the sequence.
func (c *compiler) sequenceOf(ind *Indicator, p *compiled, exclusions []int32) uint32 {
	e := c.engine
	key := c.measureKey(ind, "", exclusions)
	made := true
	index, found := c.sequence[key]
	if !found {
		made = false
		index = int32(len(e.sequences))
		c.sequence[key] = index
		e.sequences = append(e.sequences, sequence{key: key, within: day(ind.Measure.Within)})
	}
	e.sequences[index].renews |= p.renewal(ind)
	for _, names := range ind.Measure.Steps {
		var step []uint32
		for _, name := range names {
			other := c.library.indicator(name)
			if other == nil {
				continue
			}
			stepKey := c.counter(other, "", p, exclusions)
			step = append(step, stepKey)
			if counter := &e.counters[c.counters[stepKey]]; !slices.Contains(counter.sequences, index) {
				counter.sequences = append(counter.sequences, index)
			}
		}
		if !made {
			e.sequences[index].steps = append(e.sequences[index].steps, step)
		}
	}
	return key
}
