package normalise

import (
	"net/netip"
	"net/url"
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// contentTexts are the texts of one event that content rules look at, in lower
// case and without percent-encoding. The lists are used again for the next one.
type contentTexts struct {
	paths      []string // with slashes only
	names      []string
	sites      []string // web addresses without their scheme
	spoken     []string // what else keywords are looked for in: subjects
	extensions []string
	labels     []string
	domains    []string
	address    netip.Addr // it was done from, zero when not said
	folded     scratch
}

// of takes the texts out of an event. What HR says of people and what a sign-in
// was to are no content, but where it came from counts for all.
func (t *contentTexts) of(e *Event) {
	*t = contentTexts{
		paths: t.paths[:0], names: t.names[:0], sites: t.sites[:0], spoken: t.spoken[:0],
		extensions: t.extensions[:0], labels: t.labels[:0], domains: t.domains[:0], folded: t.folded,
	}
	t.folded.reset()
	if address, err := netip.ParseAddr(e.Clear.SourceIP); err == nil {
		t.address = address.Unmap()
	}
	if e.Source == schemas.SourceHR || e.SignIn != nil || e.Health != nil {
		return
	}
	c := &e.Clear
	t.path(c.Object)
	if c.FilePath != "" && !strings.HasPrefix(c.Object, c.FilePath) {
		t.path(strings.TrimRight(c.FilePath, `/\`) + "/" + c.FileName)
	}
	t.path(c.TargetPath)
	t.path(c.PreviousPath)
	t.site(c.URL)
	for _, name := range []string{c.FileName, c.TargetName, c.PreviousName} {
		t.name(name)
	}
	for _, name := range c.Attachments {
		t.name(name)
	}
	for _, resource := range c.Resources {
		t.name(baseName(resource))
		t.path(resource)
	}
	if c.Subject != "" {
		t.spoken = append(t.spoken, t.folded.lower(c.Subject))
	}
	if e.File != nil {
		t.extension(e.File.Extension)
		t.extension(extensionOf(c.PreviousName))
		t.label(e.File.Label)
	}
	if e.Email != nil {
		t.extensions = append(t.extensions, e.Email.Extensions...)
		t.label(e.Email.Label)
	}
	if e.Destination != nil {
		t.domain(c.URL)
		for _, address := range c.Recipients {
			t.domain(address)
		}
		for _, address := range c.Targets {
			t.domain(address)
		}
	}
}

// path adds a path or the address of a file, which is a site's, too.
func (t *contentTexts) path(path string) {
	if path == "" {
		return
	}
	path = t.folded.withSlashes(t.folded.lower(decoded(path)))
	t.paths = append(t.paths, path)
	if strings.Contains(path, "://") {
		t.sites = append(t.sites, siteAddress(path))
	}
}

func (t *contentTexts) site(address string) {
	if address != "" {
		t.sites = append(t.sites, siteAddress(t.folded.lower(decoded(address))))
	}
}

func (t *contentTexts) name(name string) {
	if name != "" {
		t.names = append(t.names, t.folded.lower(decoded(name)))
	}
}

func (t *contentTexts) extension(extension string) {
	if extension != "" {
		t.extensions = append(t.extensions, extension)
	}
}

func (t *contentTexts) label(label string) {
	if label != "" {
		t.labels = append(t.labels, t.folded.lower(label))
	}
}

func (t *contentTexts) domain(address string) {
	if domain := domainOf(address); domain != "" {
		t.domains = append(t.domains, domain)
	}
}

// speakOf tells whether any of the keywords is in a name, path or subject.
func (t *contentTexts) speakOf(keywords []string) bool {
	for _, list := range [...][]string{t.names, t.paths, t.spoken} {
		for _, text := range list {
			for _, keyword := range keywords {
				if strings.Contains(text, keyword) {
					return true
				}
			}
		}
	}
	return false
}

// siteAddress is a web address without its scheme.
func siteAddress(address string) string {
	if _, rest, found := strings.Cut(address, "://"); found {
		return rest
	}
	return address
}

// decoded undoes percent-encoding where there is some.
func decoded(text string) string {
	if strings.IndexByte(text, '%') < 0 {
		return text
	}
	if plain, err := url.PathUnescape(text); err == nil {
		return plain
	}
	return text
}
