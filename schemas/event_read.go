package schemas

// readEvent decodes what appendEvent encodes, as the Avro library does by
// reflection, at a quarter of the cost. It reports false for what it refuses, and the
// library then tells what is wrong. Strings and byte slices of v lie in b; the
// lists and the bodies of v are used again, if they are not nil.
//
// The bodies are spelt out: through one generic function, as in appendEvent, the
// cursor would go to the heap.
func readEvent(b []byte, v *Event) bool {
	c := &cursor{b: b}
	copy(v.ID[:], c.take(int64(len(v.ID))))
	v.Source = symbolAt(c, sourceSymbols)
	v.Activity = c.text()
	v.Operation = c.text()
	v.Time = Time(c.long())
	v.ObservedTime = Time(c.long())
	copy(v.User[:], c.take(int64(len(v.User))))
	v.KeyVersion = c.int()
	v.ActorType = symbolAt(c, actorTypeSymbols)
	v.Outcome = symbolAt(c, outcomeSymbols)
	if v.Device = optional(c, v.Device); v.Device != nil {
		v.Device.read(c)
	}
	if v.SourceIP = optional(c, v.SourceIP); v.SourceIP != nil {
		v.SourceIP.read(c)
	}
	if v.Destination = optional(c, v.Destination); v.Destination != nil {
		v.Destination.read(c)
	}
	v.Origin.read(c)
	v.Evidence = c.optionalBytes()
	v.EvidenceKey = c.text()
	v.Groups = c.texts(v.Groups)
	v.Marks = c.texts(v.Marks)
	if v.SignIn = optional(c, v.SignIn); v.SignIn != nil {
		v.SignIn.read(c)
	}
	if v.Email = optional(c, v.Email); v.Email != nil {
		v.Email.read(c)
	}
	if v.File = optional(c, v.File); v.File != nil {
		v.File.read(c)
	}
	if v.Detection = optional(c, v.Detection); v.Detection != nil {
		v.Detection.read(c)
	}
	if v.HR = optional(c, v.HR); v.HR != nil {
		v.HR.read(c)
	}
	if v.Health = optional(c, v.Health); v.Health != nil {
		v.Health.read(c)
	}
	return c.done()
}

func (v *Device) read(c *cursor) {
	v.ID = Hash(c.long())
	v.OS = c.text()
	v.Managed = c.optionalBool(v.Managed)
}

func (v *SourceIP) read(c *cursor) {
	v.ID = Hash(c.long())
	v.Country = c.text()
	v.ASN = c.long()
	v.Private = c.bool()
	v.Latitude = c.int()
	v.Longitude = c.int()
}

func (v *Destination) read(c *cursor) {
	v.Class = c.text()
	v.Domain = Hash(c.long())
	v.External = c.bool()
	v.Category = c.text()
}

func (v *Origin) read(c *cursor) {
	v.Topic = c.text()
	v.Partition = c.int()
	v.Offset = c.long()
	v.Index = c.int()
}

func (v *SignIn) read(c *cursor) {
	v.Application = c.text()
	v.Resource = c.text()
	v.Client = c.text()
	v.Legacy = c.bool()
	v.Interactive = c.bool()
	v.MFA = c.bool()
	v.StatusCode = c.long()
	v.Interrupted = c.bool()
	v.ConditionalAccess = c.text()
	v.RiskLevel = c.text()
	v.RiskTypes = c.texts(v.RiskTypes)
}

func (v *Email) read(c *cursor) {
	v.Message = Hash(c.long())
	v.Direction = c.text()
	v.Messages = c.int()
	v.Recipients = c.int()
	v.ExternalRecipients = c.int()
	v.Attachments = c.int()
	v.Extensions = c.texts(v.Extensions)
	v.Size = c.long()
	v.Label = c.text()
	v.Access = c.text()
	v.Rule = c.text()
	v.AttachmentNames = c.hashes(v.AttachmentNames)
}

func (v *File) read(c *cursor) {
	v.Object = Hash(c.long())
	v.Name = Hash(c.long())
	v.Previous = Hash(c.long())
	v.Extension = c.text()
	v.ItemType = c.text()
	v.Size = c.long()
	v.Count = c.int()
	v.Location = c.text()
	v.Label = c.text()
	v.LabelChange = c.text()
	v.SensitiveTypes = c.texts(v.SensitiveTypes)
	v.SensitiveCount = c.int()
	v.Enforcement = c.text()
	v.Application = c.text()
}

func (v *Detection) read(c *cursor) {
	v.Finding = Hash(c.long())
	v.Category = c.text()
	v.Severity = c.text()
	v.Status = c.text()
	v.Techniques = c.texts(v.Techniques)
	v.Service = c.text()
	v.Policy = c.text()
	v.SensitiveTypes = c.texts(v.SensitiveTypes)
	v.SensitiveCount = c.int()
	v.Action = c.text()
}

func (v *HR) read(c *cursor) {
	v.Scenario = c.text()
	v.Effective = Time(c.long())
	v.Resigned = Time(c.long())
	v.LastDay = Time(c.long())
	v.Withdrawn = c.bool()
	v.Active = c.optionalBool(v.Active)
	v.OnLeave = c.bool()
	v.EmployeeType = c.text()
	v.Direction = c.text()
	v.FamilyName = Hash(c.long())
	v.Address = Hash(c.long())
	v.Street = Hash(c.long())
}

func (v *Health) read(c *cursor) {
	v.Record = Hash(c.long())
	v.Restricted = c.bool()
	v.Employee = c.bool()
	v.BreakGlass = c.bool()
	v.FamilyName = Hash(c.long())
	v.Address = Hash(c.long())
	v.Street = Hash(c.long())
}
