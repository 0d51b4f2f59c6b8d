package tenant

import (
	"strconv"
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// ruleMatch publishes that a DLP policy found something in a file. The actor is
// a machine; the person stands in the metadata, in upper case.
func (g *generator) ruleMatch(p *person, at schemas.Time, f *file) {
	g.audit("DlpPolicyEventBasedAssistantOneDriveForBusiness", "1153977025279851686", at, "DLPRuleMatch", 11, "OneDrive", "", "")
	w := &g.w
	url := "https://" + g.tenant.name + "-my.sharepoint.com/personal/" + p.sam + "/Documents/" + f.name
	w.text("ObjectId", url)
	w.id("IncidentId", g.dice.guid())
	w.list("PolicyDetails")
	w.open("")
	w.texts("PolicyId", "0c9a7c1e-2f5f-4e0b-9b52-5b1b4b1d3a01", "PolicyName", "Customer data")
	w.list("Rules")
	w.open("")
	w.texts("RuleId", "b1a2b6f0-6a55-4f9c-8a3c-6f0f5a7d2c02", "RuleName", "Low volume of customer data", "RuleMode", "Enable", "Severity", "Low")
	w.list("Actions")
	w.element("GenerateAlert")
	w.end()
	w.open("ConditionsMatched")
	w.list("SensitiveInformation")
	w.open("")
	w.texts("SensitiveType", "50842eb7-edc8-4019-85dd-5a5c1f2bb085", "SensitiveInformationTypeName", "Credit Card Number", "Location", "Message Body")
	w.number("Confidence", 85)
	n := int64(g.dice.between(1, 9))
	w.number("Count", n)
	w.number("UniqueCount", n)
	w.close()
	w.end()
	w.close()
	w.close()
	w.end()
	w.close()
	w.end()
	w.open("SharePointMetaData")
	w.texts("From", p.upperUPN, "FileName", f.name, "FileOwner", p.display, "FilePathUrl", url)
	w.text("SiteCollectionUrl", "https://"+g.tenant.name+"-my.sharepoint.com/personal/"+p.sam)
	w.time("itemCreationTime", at-dayLength, layoutNoZone)
	w.time("LastModifiedTime", at, layoutNoZone)
	w.id("UniqueID", g.dice.guid())
	w.truth("IsViewableByExternalUsers", false)
	w.close()
	w.truth("SensitiveInfoDetectionIsIncluded", false)
	g.audited(schemas.SourceFile, at, "DlpPolicyEventBasedAssistantOneDriveForBusiness")
}

// The labels' ids are Microsoft's defaults.
const (
	labelConfidential = "2096f6a2-d2f7-48be-b329-b73aaa526e5d"
	labelGeneral      = "f42aa342-8706-4288-bd11-ebb85995028c"
)

// label publishes a sensitivity label put on a file or lowered.
func (g *generator) label(p *person, at schemas.Time, f *file) {
	operation := pick(g.dice, []string{"SensitivityLabelApplied", "SensitivityLabelApplied", "SensitivityLabelUpdated"})
	g.audit(p.upn, p.puid, at, operation, 84, "PublicEndpoint", "", p.address(at))
	w := &g.w
	w.text("ObjectId", `C:\Users\`+p.sam+`\Documents\`+f.name)
	w.open("SensitivityLabelEventData")
	w.text("SensitivityLabelId", labelConfidential)
	if operation == "SensitivityLabelUpdated" {
		w.text("OldSensitivityLabelId", labelGeneral)
		w.number("LabelEventType", int64(g.dice.between(1, 2)))
	}
	w.number("ActionSource", 3)
	w.close()
	w.texts("Application", "Word", "DeviceName", p.deviceFull, "Platform", "1")
	g.audited(schemas.SourceFile, at, p.upn)
}

// copilot publishes a conversation with Copilot; what was asked is not in it. It
// reads the given files, or some file at times when none are given.
func (g *generator) copilot(p *person, at schemas.Time, read ...file) {
	ip := p.address(at)
	if g.dice.chance(0.3) {
		ip = "ffff:10.11.0." + strconv.Itoa(g.dice.between(1, 250)) // no valid address, as seen
	}
	g.audit(p.upn, p.puid, at, "CopilotInteraction", 261, "Copilot", "", ip)
	f := g.file(p)
	w := &g.w
	w.text("ClientRegion", strings.ToLower(p.place.country))
	w.open("CopilotEventData")
	w.text("AppHost", pick(g.dice, []string{"Word", "Teams", "BizChat", "Excel"}))
	w.text("ThreadId", "19:"+g.dice.hexText(16)+"@thread.v2")
	w.list("Messages")
	for i := range 2 {
		w.open("")
		w.text("Id", strconv.FormatInt(int64(at)+int64(i), 10))
		w.truth("isPrompt", i == 0)
		w.close()
	}
	w.end()
	w.list("AccessedResources")
	if len(read) == 0 && g.dice.chance(0.6) {
		read = []file{f}
	}
	for _, f := range read {
		w.open("")
		w.texts("Id", g.dice.guid().String(), "Name", f.name, "Type", f.extension, "Action", "Read")
		w.text("SiteUrl", "https://"+g.tenant.host+"/sites/"+f.site+"/"+f.folder+"/"+f.name)
		if f.label != "" {
			w.text("SensitivityLabelId", f.label)
		}
		w.close()
	}
	w.end()
	w.list("Contexts")
	w.open("")
	w.texts("Id", "https://"+g.tenant.host+"/sites/"+f.site, "Type", "SharePoint")
	w.close()
	w.end()
	w.list("AISystemPlugin")
	w.end()
	w.list("ModelTransparencyDetails")
	w.end()
	w.close()
	g.audited(schemas.SourceFile, at, p.upn)
}

// endpoint begins, fills and publishes a record of endpoint DLP; more appends
// what the operation has of its own.
// https://learn.microsoft.com/purview/audit-log-activities
func (g *generator) endpoint(p *person, at schemas.Time, operation string, f *file, more func(w *writer)) {
	g.audit(p.upn, p.puid, at, operation, 63, "Endpoint", "", p.address(at))
	w := &g.w
	w.texts("ObjectId", `C:\Users\`+p.sam+`\Documents\`+f.name, "DeviceName", p.deviceFull, "MDATPDeviceId", p.deviceHash,
		"Application", "explorer.exe", "FileExtension", f.extension, "FileType", strings.ToUpper(f.extension))
	w.number("FileSize", f.size)
	w.texts("Sha1", g.dice.hexText(20), "Sha256", g.dice.hexText(32))
	w.number("Platform", 1)
	w.number("SourceLocationType", 1)
	w.number("EnforcementMode", 1)
	w.truth("RMSEncrypted", false)
	w.truth("JitTriggered", false)
	w.open("PolicyMatchInfo")
	w.texts("PolicyId", "1d4e7d5a-4b0e-4b8e-9e8f-0a3c5d6e7f03", "PolicyName", "Devices", "RuleId", "7e1f2d3c-5b6a-4c9d-8e0f-1a2b3c4d5e04", "RuleName", "Audit what leaves")
	w.close()
	w.list("SensitiveInfoTypeData")
	for _, s := range f.sensitive {
		w.open("")
		w.texts("SensitiveInfoTypeId", s.id, "SensitiveInfoTypeName", s.name)
		w.number("Confidence", 85)
		w.number("Count", int64(s.count))
		w.close()
	}
	w.end()
	if f.label != "" {
		w.open("SensitivityLabelEventData")
		w.text("SensitivityLabelId", f.label)
		w.close()
	}
	if more != nil {
		more(w)
	}
	g.audited(schemas.SourceFile, at, p.upn)
}

// copyToUSB publishes a copy to removable media, and at times Defender's row of
// the same.
func (g *generator) copyToUSB(p *person, at schemas.Time, f *file) {
	g.endpoint(p, at, "FileCopiedToRemovableMedia", f, func(w *writer) {
		w.number("DestinationLocationType", 3)
		w.text("TargetFilePath", `E:\`+f.name)
		w.open("RemovableMediaDeviceAttributes")
		w.texts("Manufacturer", "Lexington", "Model", "Slim 64", "SerialNumber", p.serial)
		w.close()
	})
	if g.dice.chance(0.4) {
		g.deviceFile(p, at+g.dice.span(0, second), "FileCreated", `E:\`+f.name, f)
	}
}

// uploadToCloud publishes an upload in the browser.
func (g *generator) uploadToCloud(p *person, at schemas.Time, f *file, domain string) {
	g.endpoint(p, at, "FileUploadedToCloud", f, func(w *writer) {
		w.number("DestinationLocationType", 4)
		w.texts("TargetDomain", domain, "TargetUrl", "https://"+domain+"/upload")
	})
	if g.dice.chance(0.5) {
		g.deviceNetwork(p, at, domain)
	}
}

func (g *generator) printFile(p *person, at schemas.Time, f *file) {
	g.endpoint(p, at, "FilePrinted", f, func(w *writer) { w.text("TargetPrinterName", p.role.department+" Printer 2") })
}

// packed is the archive that holds the file.
func (f *file) packed() file {
	packed := *f
	packed.name, packed.extension = strings.TrimSuffix(f.name, f.extension)+"zip", "zip"
	return packed
}

// archive publishes that files were packed.
func (g *generator) archive(p *person, at schemas.Time, f *file) {
	packed := f.packed()
	g.endpoint(p, at, "FileArchived", f, func(w *writer) {
		w.text("TargetFilePath", `C:\Users\`+p.sam+`\Documents\`+packed.name)
	})
	if g.dice.chance(0.5) {
		g.deviceFile(p, at+g.dice.span(0, second), "FileCreated", `C:\Users\`+p.sam+`\Documents\`+packed.name, &packed)
	}
}
