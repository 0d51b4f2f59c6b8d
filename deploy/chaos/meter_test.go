package chaos

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"
)

// meter adds up the metrics of a service over all its lives: a counter that is
// lower than before began anew.
type meter struct {
	mu    sync.Mutex
	last  map[string]float64
	total map[string]float64
}

// read takes a page of metrics in.
func (m *meter) read(page string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := map[string]float64{}
	for line := range strings.Lines(page) {
		name, text, found := strings.Cut(strings.TrimSpace(line), " ")
		if !found || strings.HasPrefix(line, "#") {
			continue
		}
		if value, err := strconv.ParseFloat(text, 64); err == nil {
			now[name] = value
		}
	}
	if m.total == nil {
		m.total = map[string]float64{}
	}
	for name, value := range now {
		if before := m.last[name]; value >= before {
			m.total[name] += value - before
		} else {
			m.total[name] += value
		}
	}
	m.last = now
}

// counted is the sum of a counter over its labels.
func (m *meter) counted(name string) float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return sum(m.total, name)
}

// gauge is the newest value of a metric, summed over its labels.
func (m *meter) gauge(name string) float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return sum(m.last, name)
}

func sum(values map[string]float64, name string) (total float64) {
	for series, value := range values {
		if series == name || strings.HasPrefix(series, name+"{") {
			total += value
		}
	}
	return total
}

// counted is the sum of a counter over all services.
func (in *installation) counted(name string) int64 {
	total := 0.0
	for _, s := range in.services {
		total += s.meter.counted(name)
	}
	return int64(total)
}

// look reads the metrics and the memory of every service. One that is down or
// frozen is left out.
func (in *installation) look(ctx context.Context) {
	var wg sync.WaitGroup
	for _, s := range in.services {
		wg.Go(func() {
			s.memory()
			limited, cancel := context.WithTimeout(ctx, 5*time.Second)
			defer cancel()
			if page, err := get(limited, "http://"+s.admin+"/metrics"); err == nil {
				s.meter.read(page)
			}
		})
	}
	wg.Wait()
}

// watch looks every second until ctx ends.
func (in *installation) watch(ctx context.Context) {
	for ctx.Err() == nil {
		in.look(ctx)
		pause(ctx, time.Second)
	}
}

// peak is the largest resident size that a service of the kind ever had, and its
// name.
func (in *installation) peak(kind string) (bytes int64, name string) {
	for _, s := range in.of(kind) {
		if _, peak := s.memory(); peak > bytes {
			bytes, name = peak, s.name
		}
	}
	return bytes, name
}
