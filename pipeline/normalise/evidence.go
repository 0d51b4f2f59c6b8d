package normalise

import (
	"strings"
	"unicode/utf8"
)

// Evidence is what is personal about an event, in clear.
type Evidence struct {
	DisplayName  string   `json:"display_name,omitempty"`
	SourceIP     string   `json:"source_ip,omitempty"`
	City         string   `json:"city,omitempty"`
	UserAgent    string   `json:"user_agent,omitempty"`
	DeviceName   string   `json:"device_name,omitempty"`
	DeviceID     string   `json:"device_id,omitempty"`
	Object       string   `json:"object,omitempty"` // what it was done to, as upstream writes it: URL, path, item id
	FileName     string   `json:"file_name,omitempty"`
	FilePath     string   `json:"file_path,omitempty"` // folder or relative URL, without the name
	PreviousName string   `json:"previous_name,omitempty"`
	PreviousPath string   `json:"previous_path,omitempty"`
	TargetName   string   `json:"target_name,omitempty"`
	TargetPath   string   `json:"target_path,omitempty"`
	URL          string   `json:"url,omitempty"`
	Subject      string   `json:"subject,omitempty"`
	MessageID    string   `json:"message_id,omitempty"`
	Mailbox      string   `json:"mailbox,omitempty"` // owner, when not the actor
	Sender       string   `json:"sender,omitempty"`
	Recipients   []string `json:"recipients,omitempty"`
	Targets      []string `json:"targets,omitempty"` // whom it was shared with or forwarded to
	Attachments  []string `json:"attachments,omitempty"`
	Resources    []string `json:"resources,omitempty"` // what an AI interaction read
	Title        string   `json:"title,omitempty"`
	Program      string   `json:"program,omitempty"`         // the process's file name, when it is none that everybody has
	Removable    string   `json:"removable_media,omitempty"` // maker, model and serial number
	SHA256       string   `json:"sha256,omitempty"`
	Patient      string   `json:"patient,omitempty"` // name and address
	Remarks      string   `json:"remarks,omitempty"`
	Withheld     []string `json:"withheld,omitempty"` // words of upstream's that name somebody or some place
}

// AppendJSON appends the evidence as JSON, the same as encoding/json makes of it but
// for the escaping: without its detours, that is a fifth of the work.
func (v *Evidence) AppendJSON(b []byte) []byte {
	w := objectWriter{append(b, '{')}
	w.text(`"display_name":`, v.DisplayName)
	w.text(`"source_ip":`, v.SourceIP)
	w.text(`"city":`, v.City)
	w.text(`"user_agent":`, v.UserAgent)
	w.text(`"device_name":`, v.DeviceName)
	w.text(`"device_id":`, v.DeviceID)
	w.text(`"object":`, v.Object)
	w.text(`"file_name":`, v.FileName)
	w.text(`"file_path":`, v.FilePath)
	w.text(`"previous_name":`, v.PreviousName)
	w.text(`"previous_path":`, v.PreviousPath)
	w.text(`"target_name":`, v.TargetName)
	w.text(`"target_path":`, v.TargetPath)
	w.text(`"url":`, v.URL)
	w.text(`"subject":`, v.Subject)
	w.text(`"message_id":`, v.MessageID)
	w.text(`"mailbox":`, v.Mailbox)
	w.text(`"sender":`, v.Sender)
	w.list(`"recipients":`, v.Recipients)
	w.list(`"targets":`, v.Targets)
	w.list(`"attachments":`, v.Attachments)
	w.list(`"resources":`, v.Resources)
	w.text(`"title":`, v.Title)
	w.text(`"program":`, v.Program)
	w.text(`"removable_media":`, v.Removable)
	w.text(`"sha256":`, v.SHA256)
	w.text(`"patient":`, v.Patient)
	w.text(`"remarks":`, v.Remarks)
	w.list(`"withheld":`, v.Withheld)
	return append(w.b, '}')
}

// objectWriter appends members that are not empty to a JSON object.
type objectWriter struct{ b []byte }

func (w *objectWriter) text(name, text string) {
	if text == "" {
		return
	}
	w.name(name)
	w.quoted(text)
}

func (w *objectWriter) list(name string, texts []string) {
	for i, text := range texts {
		if i == 0 {
			w.name(name)
			w.b = append(w.b, '[')
		} else {
			w.b = append(w.b, ',')
		}
		w.quoted(text)
	}
	if len(texts) > 0 {
		w.b = append(w.b, ']')
	}
}

// quoted appends a text, which in a file of an HR system may be in any encoding.
func (w *objectWriter) quoted(text string) {
	if isPlainASCII(text) {
		w.b = append(append(append(w.b, '"'), text...), '"')
		return
	}
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	w.b = appendQuoted(w.b, text)
}

// name appends the name of a member, which is given in quotes and with a colon.
func (w *objectWriter) name(name string) {
	if w.b[len(w.b)-1] != '{' {
		w.b = append(w.b, ',')
	}
	w.b = append(w.b, name...)
}
