package schemas

import (
	"bytes"
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// EvidenceSchema is that of Evidence before it is sealed.
//
//go:embed evidence.avsc
var EvidenceSchema string

// Evidence is what is personal about an event, in clear. Its JSON names the kinds of facts
// as the schema does.
type Evidence struct {
	DisplayName  string   `json:"display_name,omitempty"`
	SourceIP     string   `json:"source_ip,omitempty"`
	City         string   `json:"city,omitempty"`
	UserAgent    string   `json:"user_agent,omitempty"`
	DeviceName   string   `json:"device_name,omitempty"`
	DeviceID     string   `json:"device_id,omitempty"`
	Object       string   `json:"object,omitempty"`
	FileName     string   `json:"file_name,omitempty"`
	FilePath     string   `json:"file_path,omitempty"`
	PreviousName string   `json:"previous_name,omitempty"`
	PreviousPath string   `json:"previous_path,omitempty"`
	TargetName   string   `json:"target_name,omitempty"`
	TargetPath   string   `json:"target_path,omitempty"`
	URL          string   `json:"url,omitempty"`
	Subject      string   `json:"subject,omitempty"`
	MessageID    string   `json:"message_id,omitempty"`
	Mailbox      string   `json:"mailbox,omitempty"`
	Sender       string   `json:"sender,omitempty"`
	Recipients   []string `json:"recipients,omitempty"`
	Targets      []string `json:"targets,omitempty"`
	Attachments  []string `json:"attachments,omitempty"`
	Resources    []string `json:"resources,omitempty"`
	Title        string   `json:"title,omitempty"`
	Program      string   `json:"program,omitempty"`
	Removable    string   `json:"removable_media,omitempty"`
	SHA256       string   `json:"sha256,omitempty"`
	Patient      string   `json:"patient,omitempty"`
	Remarks      string   `json:"remarks,omitempty"`
	Withheld     []string `json:"withheld,omitempty"`
}

// member is where a kind of fact stands: one text or a list.
type member struct {
	text *string
	list *[]string
}

// members are the fields in the order of the schema's kinds.
func (v *Evidence) members() [29]member {
	return [...]member{
		{text: &v.DisplayName},
		{text: &v.SourceIP},
		{text: &v.City},
		{text: &v.UserAgent},
		{text: &v.DeviceName},
		{text: &v.DeviceID},
		{text: &v.Object},
		{text: &v.FileName},
		{text: &v.FilePath},
		{text: &v.PreviousName},
		{text: &v.PreviousPath},
		{text: &v.TargetName},
		{text: &v.TargetPath},
		{text: &v.URL},
		{text: &v.Subject},
		{text: &v.MessageID},
		{text: &v.Mailbox},
		{text: &v.Sender},
		{list: &v.Recipients},
		{list: &v.Targets},
		{list: &v.Attachments},
		{list: &v.Resources},
		{text: &v.Title},
		{text: &v.Program},
		{text: &v.Removable},
		{text: &v.SHA256},
		{text: &v.Patient},
		{text: &v.Remarks},
		{list: &v.Withheld},
	}
}

// Append appends the evidence in Avro without a header, nothing when there is none.
func (v *Evidence) Append(b []byte) []byte {
	start, facts := len(b), 0
	b = append(b, 0) // how many facts follow; mostly one byte is enough
	for kind, m := range v.members() {
		if m.list == nil {
			if *m.text != "" {
				b = appendFact(b, kind, *m.text)
				facts++
			}
			continue
		}
		for _, text := range *m.list {
			b = appendFact(b, kind, text)
			facts++
		}
	}
	if facts == 0 {
		return b[:start]
	}
	var length [binary.MaxVarintLen64]byte
	count := appendLong(length[:0], int64(facts))
	b = slices.Replace(b, start, start+1, count...)
	return append(b, 0) // no further facts
}

// appendFact appends a text, which in a file of an HR system may be in any encoding.
func appendFact(b []byte, kind int, text string) []byte {
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	return appendText(appendLong(b, int64(kind)), text)
}

// ReadEvidence reads what Append wrote, and the JSON that earlier releases wrote. Errors
// wrap ErrMalformed.
func ReadEvidence(b []byte) (Evidence, error) {
	var v Evidence
	switch {
	case len(b) == 0:
		return v, nil
	case b[0] == '{': // as a number of facts it would be negative
		if err := json.Unmarshal(b, &v); err != nil {
			return v, fmt.Errorf("reading evidence: %w: %w", ErrMalformed, err)
		}
		return v, nil
	}
	c := &cursor{b: bytes.Clone(b)}
	members := v.members()
	for n := c.block(); n > 0; n = c.block() {
		for range n {
			m := symbolAt(c, members[:])
			if text := c.text(); m.list != nil {
				*m.list = append(*m.list, text)
			} else {
				*m.text = text
			}
		}
	}
	if !c.done() {
		return Evidence{}, fmt.Errorf("reading evidence: %w: not what a riskpipe of this version or before it writes", ErrMalformed)
	}
	return v, nil
}
