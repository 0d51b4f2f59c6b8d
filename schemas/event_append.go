package schemas

import "slices"

// appendEvent encodes an event as the Avro library does by reflection, byte for
// byte, at a quarter of the cost: events are most of what riskpipe writes. It
// reports false for an event that the schema does not allow, and the library then
// tells what is wrong. readEvent is its counterpart.
func appendEvent(b []byte, v *Event) ([]byte, bool) {
	source, knownSource := placeOf(v.Source, sourceSymbols)
	actorType, knownActor := placeOf(v.ActorType, actorTypeSymbols)
	outcome, knownOutcome := placeOf(v.Outcome, outcomeSymbols)
	if !knownSource || !knownActor || !knownOutcome {
		return nil, false
	}
	b = append(b, v.ID[:]...)
	b = appendLong(b, source)
	b = appendText(b, v.Activity)
	b = appendText(b, v.Operation)
	b = appendLong(b, int64(v.Time))
	b = appendLong(b, int64(v.ObservedTime))
	b = append(b, v.User[:]...)
	b = appendLong(b, int64(v.KeyVersion))
	b = appendLong(b, actorType)
	b = appendLong(b, outcome)
	b = appendOptional(b, v.Device)
	b = appendOptional(b, v.SourceIP)
	b = appendOptional(b, v.Destination)
	b = v.Origin.append(b)
	b = appendOptionalBytes(b, v.Evidence)
	b = appendText(b, v.EvidenceKey)
	b = appendTexts(b, v.Groups)
	b = appendTexts(b, v.Marks)
	b = appendOptional(b, v.SignIn)
	b = appendOptional(b, v.Email)
	b = appendOptional(b, v.File)
	b = appendOptional(b, v.Detection)
	b = appendOptional(b, v.HR)
	b = appendOptional(b, v.Health)
	return b, true
}

// placeOf returns the place of an enum's symbol among those that its schema lists.
func placeOf[T comparable](v T, symbols []T) (int64, bool) {
	i := slices.Index(symbols, v)
	return int64(i), i >= 0
}

// appendOptional appends a union of null and a record.
func appendOptional[T any, P interface {
	*T
	append(b []byte) []byte
}](b []byte, v P) []byte {
	if b = appendPresent(b, v != nil); v != nil {
		b = v.append(b)
	}
	return b
}

func (v *Device) append(b []byte) []byte {
	b = appendLong(b, int64(v.ID))
	b = appendText(b, v.OS)
	return appendOptionalBool(b, v.Managed)
}

func (v *SourceIP) append(b []byte) []byte {
	b = appendLong(b, int64(v.ID))
	b = appendText(b, v.Country)
	b = appendLong(b, v.ASN)
	b = appendBool(b, v.Private)
	b = appendLong(b, int64(v.Latitude))
	return appendLong(b, int64(v.Longitude))
}

func (v *Destination) append(b []byte) []byte {
	b = appendText(b, v.Class)
	b = appendLong(b, int64(v.Domain))
	b = appendBool(b, v.External)
	return appendText(b, v.Category)
}

func (v *Origin) append(b []byte) []byte {
	b = appendText(b, v.Topic)
	b = appendLong(b, int64(v.Partition))
	b = appendLong(b, v.Offset)
	return appendLong(b, int64(v.Index))
}

func (v *SignIn) append(b []byte) []byte {
	b = appendText(b, v.Application)
	b = appendText(b, v.Resource)
	b = appendText(b, v.Client)
	b = appendBool(b, v.Legacy)
	b = appendBool(b, v.Interactive)
	b = appendBool(b, v.MFA)
	b = appendLong(b, v.StatusCode)
	b = appendBool(b, v.Interrupted)
	b = appendText(b, v.ConditionalAccess)
	b = appendText(b, v.RiskLevel)
	return appendTexts(b, v.RiskTypes)
}

func (v *Email) append(b []byte) []byte {
	b = appendLong(b, int64(v.Message))
	b = appendText(b, v.Direction)
	b = appendLong(b, int64(v.Messages))
	b = appendLong(b, int64(v.Recipients))
	b = appendLong(b, int64(v.ExternalRecipients))
	b = appendLong(b, int64(v.Attachments))
	b = appendTexts(b, v.Extensions)
	b = appendLong(b, v.Size)
	b = appendText(b, v.Label)
	b = appendText(b, v.Access)
	b = appendText(b, v.Rule)
	return appendHashes(b, v.AttachmentNames)
}

func (v *File) append(b []byte) []byte {
	b = appendLong(b, int64(v.Object))
	b = appendLong(b, int64(v.Name))
	b = appendLong(b, int64(v.Previous))
	b = appendText(b, v.Extension)
	b = appendText(b, v.ItemType)
	b = appendLong(b, v.Size)
	b = appendLong(b, int64(v.Count))
	b = appendText(b, v.Location)
	b = appendText(b, v.Label)
	b = appendText(b, v.LabelChange)
	b = appendTexts(b, v.SensitiveTypes)
	b = appendLong(b, int64(v.SensitiveCount))
	b = appendText(b, v.Enforcement)
	return appendText(b, v.Application)
}

func (v *Detection) append(b []byte) []byte {
	b = appendLong(b, int64(v.Finding))
	b = appendText(b, v.Category)
	b = appendText(b, v.Severity)
	b = appendText(b, v.Status)
	b = appendTexts(b, v.Techniques)
	b = appendText(b, v.Service)
	b = appendText(b, v.Policy)
	b = appendTexts(b, v.SensitiveTypes)
	b = appendLong(b, int64(v.SensitiveCount))
	return appendText(b, v.Action)
}

func (v *HR) append(b []byte) []byte {
	b = appendText(b, v.Scenario)
	b = appendLong(b, int64(v.Effective))
	b = appendLong(b, int64(v.Resigned))
	b = appendLong(b, int64(v.LastDay))
	b = appendBool(b, v.Withdrawn)
	b = appendOptionalBool(b, v.Active)
	b = appendBool(b, v.OnLeave)
	b = appendText(b, v.EmployeeType)
	b = appendText(b, v.Direction)
	b = appendLong(b, int64(v.FamilyName))
	b = appendLong(b, int64(v.Address))
	return appendLong(b, int64(v.Street))
}

func (v *Health) append(b []byte) []byte {
	b = appendLong(b, int64(v.Record))
	b = appendBool(b, v.Restricted)
	b = appendBool(b, v.Employee)
	b = appendBool(b, v.BreakGlass)
	b = appendLong(b, int64(v.FamilyName))
	b = appendLong(b, int64(v.Address))
	return appendLong(b, int64(v.Street))
}
