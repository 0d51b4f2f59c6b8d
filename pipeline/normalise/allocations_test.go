package normalise

import (
	"slices"
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
)

func TestMap_allocations(t *testing.T) {
	// Mapping a common record allocates its event, what the event points to, and the
	// texts that upstream spells otherwise; not the texts which it compares or hashes.
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	file := commonRecord{"SharePoint", schemas.SourceFile, string(fileRecord(`"Operation":"FileDownloaded","UserAgent":"Mozilla/5.0 (Windows NT 10.0; Win64; x64)","CorrelationId":"7d3f2a10-0000-4000-8000-00000000beef","FileSizeBytes":16941,` + spo))}
	most := map[string]float64{
		"SharePoint": 8, "DeviceFileEvents": 16, "EmailEvents": 10, "AlertV2": 27,
		"signin": 10, "signin-o365": 22, "email-send": 24, "email-accessed": 14, "email-trace": 5,
	}
	for _, record := range slices.Concat(signInAndEmailRecords(), defenderRecords(), []commonRecord{file}) {
		t.Run(record.name, func(t *testing.T) {
			m, raw := fileMapper(), Raw{Topic: "raw", Value: []byte(record.text)}
			var out Result
			got := testing.AllocsPerRun(100, func() { m.Map(record.source, raw, &out) })
			if len(out.Events) == 0 {
				t.Fatalf("no event, skips %v, rejects %v", out.Skips, out.Rejects)
			}
			if got > most[record.name] {
				t.Errorf("%v allocations, want %v at most", got, most[record.name])
			}
		})
	}
}
