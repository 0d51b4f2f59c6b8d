package normalise

import (
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// withhold takes out of what travels in clear what users, not upstream, have
// worded: it goes with the evidence, sealed, and a keyed hash or nothing stands
// in its place.
//
// What upstream words itself (operations, operating systems, protocols, products,
// categories of alerts, kinds of employment) passes when it is of the vocabulary or,
// by Clear, of the organisation's.
// Ends of file names and names of programs are what whoever names a file makes of
// them, so that only those pass which everybody has, in the world or, by Clear, in
// the organisation. Names of applications, labels, policies and sensitive types are
// the organisation's catalogue, which policies select: they pass unless they have
// the form of a name, a path or an address, or name somebody whom the event names.
func (m *Mapper) withhold(e *Event) {
	e.Operation = m.upstreams(e, e.Operation)
	if e.Device != nil {
		e.Device.OS = m.platform(e, e.Device.OS)
	}
	if s := e.SignIn; s != nil {
		s.Application, s.Resource, s.Client = e.plain(s.Application), e.plain(s.Resource), m.worded(e, s.Client)
		s.RiskTypes = e.identifiers(s.RiskTypes)
	}
	if f := e.File; f != nil {
		if !m.program(e) {
			f.Application = e.plain(f.Application)
		}
		if !m.everybodys.extension(f.Extension) {
			f.Extension = "" // the sealed file name has it
		}
		f.Label = e.plainLabel(f.Label)
		e.plainList(f.SensitiveTypes)
	}
	if mail := e.Email; mail != nil {
		known := mail.Extensions[:0]
		for _, extension := range mail.Extensions {
			if m.everybodys.extension(extension) {
				known = append(known, extension)
			}
		}
		mail.Extensions, mail.Label = known, e.plainLabel(mail.Label)
	}
	if d := e.Detection; d != nil {
		m.withholdDetection(e, d)
	}
	if e.HR != nil {
		e.HR.EmployeeType = m.worded(e, e.HR.EmployeeType)
	}
}

// withholdDetection is withhold for a finding, whose category is of the vocabulary
// already.
func (m *Mapper) withholdDetection(e *Event, d *schemas.Detection) {
	d.Service = m.worded(e, d.Service)
	if d.Category == categoryIdentityRisk {
		d.Policy = m.upstreams(e, d.Policy) // the kind of risk, which is the operation
	} else {
		d.Policy = e.plain(d.Policy)
	}
	e.plainList(d.SensitiveTypes)
}

// upstreams returns what upstream calls an operation. What HR and health record
// systems call one is worded by whoever set them up.
func (m *Mapper) upstreams(e *Event, operation string) string {
	if e.HR == nil && e.Health == nil && isIdentifier(operation) && !e.names(operation) {
		return operation
	}
	return m.worded(e, operation)
}

// worded returns a text of the vocabulary, or one that everybody in the organisation
// has; another is withheld.
func (m *Mapper) worded(e *Event, text string) string {
	if len(text) <= maxPlain && !isPersonalForm(text) && isVocabulary(text) || m.everybodys.text(text) {
		return text
	}
	e.Clear.Withheld = append(e.Clear.Withheld, text)
	return ""
}

// platform returns the name of an operating system, and of one that somebody
// worded what it is at heart.
func (m *Mapper) platform(e *Event, os string) string {
	if plain := m.worded(e, os); plain != "" {
		return plain
	}
	return osOf(os, "")
}

// identifiers returns those that are upstream's own.
func (e *Event) identifiers(list []string) []string {
	known := list[:0]
	for _, text := range list {
		if isIdentifier(text) && !e.names(text) {
			known = append(known, text)
		} else {
			e.Clear.Withheld = append(e.Clear.Withheld, text)
		}
	}
	return known
}

// ran fills in the program that did it on a device, by its file name.
func (e *Event) ran(program string) {
	e.File.Application, e.Clear.Program = program, program
}

// program puts a keyed hash in the place of a program that not everybody has, and
// tells whether there is a program.
func (m *Mapper) program(e *Event) bool {
	name := lowercase(e.Clear.Program)
	switch {
	case name == "":
		return false
	case m.everybodys.program(name):
		e.Clear.Program = ""
	default:
		e.File.Application = m.token("program", name)
	}
	return true
}

// hostToken stands for a host where upstream names one: the same as the id of a
// device that is known by its name alone.
func (m *Mapper) hostToken(name string) string { return m.token("device", lowercase(name)) }

// token is a keyed hash in the place of a text.
func (m *Mapper) token(kind, value string) string {
	if value == "" {
		return ""
	}
	return string(appendToken(make([]byte, 0, 16), m.hash(kind, value)))
}

// appendToken appends a hash in sixteen digits.
func appendToken(b []byte, hash schemas.Hash) []byte {
	const digits = "0123456789abcdef"
	for shift := 60; shift >= 0; shift -= 4 {
		b = append(b, digits[uint64(hash)>>shift&15])
	}
	return b
}

// plain returns a text that may travel in clear; one that may not is withheld.
func (e *Event) plain(text string) string {
	if !isPersonalForm(text) && !e.names(text) {
		return text
	}
	e.Clear.Withheld = append(e.Clear.Withheld, text)
	return ""
}

// plainLabel is plain for labels, which write a sublabel after a backslash.
func (e *Event) plainLabel(label string) string {
	parent, sub, found := strings.Cut(label, `\`)
	if !found {
		return e.plain(label)
	}
	if parent == "" || isPersonalForm(parent) || isPersonalForm(sub) || e.names(label) || strings.HasSuffix(parent, ":") {
		e.Clear.Withheld = append(e.Clear.Withheld, label)
		return ""
	}
	return label
}

func (e *Event) plainList(texts []string) {
	for i, text := range texts {
		texts[i] = e.plain(text)
	}
}

// knownPrograms are the file names, without .exe, and the titles of programs that
// say nothing of who has them.
var knownPrograms = wordSet(`
	explorer finder system cmd powershell pwsh powershell_ise windowsterminal wt conhost bash zsh sh terminal python python3 java
	node robocopy xcopy rsync scp sftp ssh curl wget certutil bitsadmin rundll32 regsvr32 msiexec svchost dllhost taskhostw
	searchindexer searchprotocolhost msmpeng backup backgroundtaskhost notepad notepad++ code devenv idea64 git tar 7z 7zfm 7zg winrar
	rar winzip64 winzip32 peazip msedge chrome firefox iexplore opera brave safari vivaldi arc msedgewebview2 winword word excel powerpnt
	powerpoint outlook olk onenote visio msaccess mspub winproj lync teams ms-teams onedrive filecoauth filesyncclient acrobat
	acrord32 acrocef foxitpdfreader slack zoom skype telegram whatsapp signal discord thunderbird dropbox googledrivefs googledrive
	icloud icloudservices box filezilla winscp putty mstsc anydesk teamviewer obs64 snippingtool mspaint photos vlc autocad acad
	solidworks sldworks ssms sqlservr sqlcmd mysql psql dbeaver tableau powerbi pbidesktop excelcnv splwow64 spoolsv
	"onedrive sync" "microsoft word" "microsoft excel" "microsoft powerpoint" "microsoft outlook"`)

// knownExtensions are the ends of file names that are formats.
var knownExtensions = wordSet(`
	7z ace arj br bz2 cab gz iso img lz lz4 lzh lzma rar tar tbz2 tgz txz xz z zip zipx zst
	asm bas bat c cc clj cmd cpp cs csproj css cxx dart erl ex exs f90 go gradle groovy h hpp hs htm html ini ipynb java jl js json jsx jsonl
	kt kts less lua m mm mjs php pl pm proto ps1 psm1 py pyc r rb rs sass scala scss sh sln sql swift tf toml ts tsx vb vbs vue xaml xml
	xsd xsl yaml yml cfg conf config env properties lock patch diff
	csv tsv doc docm docx dot dotm dotx md odg odp ods odt one onetoc2 pages numbers key pdf ppa ppam pot potx potm pps ppsm ppsx ppt pptm pptx pub
	rtf txt tex vsd vsdm vsdx vss vst wpd wps xla xlam xls xlsb xlsm xlsx xlt xltm xltx xps epub mobi mpp mpt loop fluid whiteboard page
	3dm 3ds 3mf asm blend catdrawing catpart catproduct dae dgn dwf dwg dwt dxf fbx gds iam idw iges igs ipt jt nwd obj par prt psm rfa rvt
	skp slddrw sldasm sldprt step stl stp x_t x_b x3d gbr brd sch
	accdb bak db db3 dbf dump edb mdb mdf ldf ndf ora parquet avro orc pst ost sqlite sqlite3 sav rdb rds rdata mat hdf5 h5 npy pkl
	apk app appx bin class com deb dll dmg exe elf hta ipa jar lib msi msix msp o pkg pdb rpm scr so sys war ear wasm whl
	ai bmp cr2 dng emf eps gif heic heif ico indd jfif jpeg jpg nef png psd raw svg tga tif tiff webp wmf xcf xd fig sketch
	aac aiff avi flac flv m4a m4v mkv mov mp3 mp4 mpeg mpg oga ogg opus vtt srt wav webm wma wmv
	eml emlx ics mbox msg oft vcf p7m p7s asc cer crt csr der gpg jks kdb kdbx key ovpn p12 pem pfx pgp ppk rdp
	aspx asp jsp cshtml url webloc website lnk tmp temp log part crdownload partial old orig swp dat data cache
	vhd vhdx vmdk vdi ova ovf qcow2 wim evtx etl pcap pcapng dmp reg rpt trace pbix pbit twb twbx rdl qvd qvf
	dcm hl7 fhir fasta fastq sas7bdat dta por geojson shp kml kmz gpx las`)

// wordSet makes a set of words; quotes hold together what has blanks.
func wordSet(text string) map[string]bool {
	set := map[string]bool{}
	for i, part := range strings.Split(text, `"`) {
		if i%2 == 1 {
			set[part] = true
			continue
		}
		for word := range strings.FieldsSeq(part) {
			set[word] = true
		}
	}
	return set
}
