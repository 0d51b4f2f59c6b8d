package normalise

import (
	"strings"
	"time"

	"github.com/riskpipe/riskpipe/schemas"
)

// dateLayouts are the spellings of dates in HR files which parseTime does not
// read, and which can be read in one way only.
var dateLayouts = []string{
	"20060102",
	"2006/1/2",
	"2006/1/2 15:04:05",
	"2006/1/2 15:04",
	"2006.1.2",
	"2.1.2006",
	"2.1.2006 15:04:05",
	"2.1.2006 15:04",
	"2-Jan-2006",
	"2-Jan-06",
	"2-January-2006",
	"2 Jan 2006",
	"2 January 2006",
	"Jan 2, 2006",
	"January 2, 2006",
	"Jan 2 2006",
	"Monday, January 2, 2006",
}

// dayFirstLayouts are those in which the day comes before the month when the
// mapping says so.
var dayFirstLayouts = []string{
	"2/1/2006",
	"2/1/2006 15:04:05",
	"2/1/2006 15:04",
	"2/1/2006 3:04:05 PM",
	"2/1/2006 3:04 PM",
	"2-1-2006",
	"2-1-2006 15:04:05",
	"2-1-2006 15:04",
}

// parseDate reads a date of an HR file: what parseTime reads, and the spellings
// of spreadsheets. A date without a time is its midnight in UTC.
func parseDate(text string, dayFirst bool) (schemas.Time, bool) {
	text = strings.Join(strings.Fields(text), " ")
	if dayFirst {
		if t, ok := parseLayouts(text, dayFirstLayouts); ok {
			return t, true
		}
	} else if t, ok := parseTime(text); ok {
		return t, true
	} else if t, ok := parseLayouts(text, []string{"1/2/2006 3:04 PM", "1-2-2006"}); ok {
		return t, true
	}
	if dayFirst && strings.Count(text, "/") == 0 {
		if t, ok := parseTime(text); ok {
			return t, true
		}
	}
	// A workbook and Java write the zone's hour alone or with its name.
	if head, zone, found := strings.Cut(text, "["); found && strings.HasSuffix(zone, "]") {
		return parseDate(head, dayFirst)
	}
	return parseLayouts(text, dateLayouts)
}

func parseLayouts(text string, layouts []string) (schemas.Time, bool) {
	for _, layout := range layouts {
		if t, err := time.Parse(layout, text); err == nil {
			return schemas.TimeOf(t), t.Year() >= firstYear && t.Year() <= lastYear
		}
	}
	return 0, false
}
