package normalise

// isVocabulary tells whether every word of a text is one that upstream's products
// use: then it names a kind of thing, and nobody.
func isVocabulary(text string) bool {
	if hasLongNumber(text) {
		return false
	}
	for word, rest := nextWord(text); word != ""; word, rest = nextWord(rest) {
		if len(word) > 1 && !isKnownWord(word) {
			return false
		}
	}
	return true
}

// isIdentifier tells names that upstream's programmers gave: one word without
// blanks and full stops of which a part is of the vocabulary, so that operations of
// tomorrow are some, and names of people are none.
func isIdentifier(text string) bool {
	for i := range len(text) {
		if c := text[i]; !isAlphanumeric(c) && c != '_' && c != '-' && c != ':' {
			return false
		}
	}
	if hasLongNumber(text) {
		return false
	}
	for word, rest := nextWord(text); word != ""; word, rest = nextWord(rest) {
		if isKnownWord(word) {
			return true
		}
	}
	return false
}

// hasLongNumber tells numbers that may be somebody's, of an employee or a
// telephone, from versions and codes.
func hasLongNumber(text string) bool {
	digits := 0
	for i := range len(text) {
		if c := text[i]; c < '0' || c > '9' {
			digits = 0
		} else if digits++; digits > 6 {
			return true
		}
	}
	return false
}

// nextWord returns the first word of a text, in any convention (FileDownloaded,
// ITEM_DOWNLOAD, "Download file"), and what follows it; digits are no part of words,
// and what is not ASCII counts as letters.
func nextWord(text string) (word, rest string) {
	start := 0
	for start < len(text) && !isWordByte(text[start]) {
		start++
	}
	end := start
	for end < len(text) && isWordByte(text[end]) {
		if end > start && isUpper(text[end]) && (!isUpper(text[end-1]) || end+1 < len(text) && isLower(text[end+1])) {
			break
		}
		end++
	}
	return text[start:end], text[end:]
}

func isWordByte(c byte) bool { return isUpper(c) || isLower(c) || c >= 0x80 }

// isKnownWord tells words of the vocabulary, whatever their case and ending.
func isKnownWord(word string) bool {
	var buffer [48]byte
	if len(word) > len(buffer) || !isASCII(word) {
		return false
	}
	lower := appendLower(buffer[:0], word)
	if vocabulary[string(lower)] {
		return true
	}
	for _, ending := range [...]string{"s", "ed", "d", "ing", "es"} {
		if n := len(lower) - len(ending); n > 2 && string(lower[n:]) == ending && vocabulary[string(lower[:n])] {
			return true
		}
	}
	return false
}

// vocabulary are the words of which Microsoft's and others' products make names of
// operations, protocols, platforms, products, categories and kinds of employment.
// Words that are names of people, too, are left out, as far as there are others. An
// operation that a mapper knows is one in small letters, too.
var vocabulary = withKeys(withKeys(withKeys(wordSet(`
	mailitemsaccessed harddelete softdelete movetodeleteditems updateinboxrules sendas sendonbehalf inboxrule userloggedin userloginfailed
	a about above across after against all allow an and any are as at auto automatic back be before between blind but by can change changes
	for from has high in inside into is it its low medium more most never new no non none not of off on once one only open or other others out over own
	per pre re same self set single some than that the then this to too two under unknown up use used user users using via was when where which who why with within without yet
	abort accept access accessed account acknowledge acquire act action activate active activity add added adjust admin administration administrator adopt aggregate
	alert allocate amend analyze announce anonymous answer append application applied apply approve archive assign associate attach attachment attempt audit authenticate
	authentication authorization authorize backup batch begin bind block blocked break broken browse browser build bulk bypass cache call cancel capture check
	classify clean clear click clipboard clone close collaborate collaborator collect collection comment commit compare complete compress confirm connect connection
	consent content convert copied copy count create created creation credential custom data database deactivate decline decrypt default demo delegate delegation delete
	deletion deliver deny denied deploy detach detect detection detected device directory disable disabled disconnect discard discover discovery dismiss distribute document domain
	download downgrade downloaded drive duplicate edit edited elevate email emails empty enable enabled encrypt encryption end enforce enroll enrollment entity entry
	error escalate evaluate event evidence execute execution removal approval renewal completion submission exempt exit expand expire export extend extended extension external extract fail failed failure fetch
	file files filter find finish first flag folder forward forwarding full generate get global go granted group groups guest hard hide history home host hub identify identity
	import improper inbound intra org inbox inactive inherit inheritance init initial initialize initiate insert install interaction interactive intern internal
	interrupt invalid invalidate investigate investigation invitation invite invoke item items job join key known label labels last launch leave level library license limit limited link links list local
	lock log logged login logoff logon logout mail mailbox malicious manage managed management manager map mass match member members membership merge message messages meta
	metadata migrate missing mode modified modify modification mount mounted move moved multi multiple name network next note notebook notification notify number object offline
	online operation option order organization outbound owner package page pages parameter partial partially password paste path pause pending perform
	performance performed permanent permission permissions pin place plan play policy poll port post prefetch premium preview previewed previous principal print printed private process
	profile project promote prompt property protect protection provision public publish pull purge push put quarantine query queue quota random
	read reader ready recent recipient recommend record recover recycle recycled redirect reduce refresh register registration registry reject release reload
	remote removable remove removed rename renamed render reorder repair replace reply report request require reset resolve resource respond response
	restart restore restored restrict restricted result resume retention retrieve retry return revert review revoke right rights risk risky role rollback root rotate route rule rules run save
	scan schedule scheduled schema screen screenshot script search second secondary section secure security selected send sender sensitive sensitivity sent server service services session
	setting settings setup share shared sharing shares show shutdown sign signal signaled signed signin signout simulation site sites size skip soft source special stage start state
	status stop storage store stream submit subscribe subscription succeeded success successful suggest super suspend suspicious switch sync synced synchronize system tab table tag take target
	task team template tenant term test text thread time token tool top total track transaction transcript transfer transform transition transport trash trigger
	trust turn type unarchive unassign unblock undelete undo uninstall unknown unlink unlock unmount unmounted unpin unpublish unregister unshare untrash update updated upgrade
	upload uploaded validate validation value verify version versions video view viewed viewer visibility visit visited wait warn warning watermark web webpage website wipe workflow workspace write written year
	bin chat channel card calendar column comments contact document dlp mip aip etr tip sit pdf image spreadsheet presentation docs sheet sheets slides form forms clause compliance condition
	credit debit customer customers financial health legal medical personal privacy regulation regulatory secret confidential general highly strictly internal only
	risk unfamiliar features unlikely travel impossible leaked credentials spray suspicious sending manipulation detections adminconfirmeduser compromised
	atypical tor ip address addresses anonymized anonymizer infected malicious nation verified threat intelligence investigations mcas generic spray ad token issuer anomaly anomalous
	region country rare unusual velocity anubis activities suspicious behavior behaviour forwarding manipulation time zone user reported attacker middle attack spike primary refresh real

	browser mobile apps app desktop client clients authenticated smtp autodiscover exchange activesync powershell ews imap pop mapi http https rpc tcp udp dns tls ssl offline
	address auth id ws fed shell point pad book outlook anywhere reporting universal ntlm kerberos ldap saml oauth openid wsfed federated federation ws fido hello certificate smart cached unlock interactive rdp ssh
	ftp sftp smb cifs nfs webdav terminal service batch cleartext proxy delegated owner unattended resource validation nla radius vpn wifi ethernet bluetooth usb

	windows win mac macos osx os ios ipad ipados iphone android linux ubuntu debian centos fedora redhat rhel suse sles oracle amazon chrome chromeos cros
	tizen kaios xbox hololens surface hub phone enterprise education pro professional ultimate standard datacenter essentials edition server workstation desktop core
	starter rt nt lts darwin unix freebsd bsd solaris aix esxi hyper build version release x arm amd bit

	microsoft office azure entra active defender sentinel purview intune graph teams sharepoint onedrive exchange outlook word excel powerpoint onenote
	visio access project planner todo yammer viva engage copilot studio power bi automate apps dynamics crm portal cli devops github visual code bing edge
	skype lync forms stream sway loop whiteboard delve bookings biz bizchat notebook atp mdatp mde mdi mdo mda mcas asc ipc aad adfs aadip asi edr av xdr ndr siem soar dlp irm cas casb
	endpoint endpoints defenderfor cloud app identity vulnerability antivirus antimalware antispam antiphish anti phish phishing protection firewall monitor automated investigation air ir
	insights loss prevention eop quarantine information governance insider communication lifecycle ediscovery location locations travel traveller place threat hunting advanced
	future analytics built experts nrt manual git dev ops now linked crowd strike
	google workspace gmail dropbox box salesforce servicenow workday slack zoom webex okta ping onelogin duo cisco palo alto fortinet checkpoint zscaler netskope crowdstrike
	sophos trend micro mcafee symantec broadcom kaspersky eset bitdefender sentinelone vmware citrix aws sap atlassian jira confluence elastic splunk
	datadog tableau adobe sign acrobat creative vendor partner partners provider third party

	ai ml llm alert alerts anomaly behavior malware ransomware trojan virus worm spyware adware rootkit backdoor exploit exploits exploitation dropper downloader
	unwanted software pua hacktool tool macro spam spoof spoofing impersonation phish bec credential theft dump dumping lateral movement privilege escalation
	command control exfiltration persistence defense evasion reconnaissance impact weaponization denial ddos brute force leak leakage exposure violation
	misuse abuse suspicious mail flow url click detonation zap others pre delivery impair inhibit response function develop development obfuscation ics
	privileged governance insider sabotage fraud steal stealer supply chain traffic installation installed payload beacon keylogger miner mining
	cryptominer cryptocurrency
	performing reviewing

	employee worker contractor consultant intern trainee apprentice temp temporary permanent regular part full fixed freelance freelancer vendor
	supplier agency staff student volunteer leased contingent seasonal hourly salaried exempt retiree retired board director guest hire hired rehire terminated termination terminate
	resignation resign resigned resigning offboard offboarding offboarded leaver onboarding leave left active inactive suspended deceased probation improvement promotion
	demotion grade level job position joblevel performance review appraisal rating plan pip effective voluntary involuntary separation separated dismissal dismissed
	info tech world redundancy layoff furlough furloughed sabbatical parental maternity paternity sick absence withdrawn rescinded notice employed employment former current
	end contract hr

	chart patient patients clinical clinic medication medications lab laboratory results encounter encounters summary summaries imaging radiology demographic
	demographics appointment appointments allergy allergies immunization diagnosis procedure procedures vitals flowsheet glass emergency care treatment
	payment operations research vread fhir rest bundle instance capabilities dicom study query registration admission discharge census snapshot
	mychart inbasket hyperspace
	u r c d e
`), sharePointActivities), sharingActivities), endpointActivities)

// withKeys adds the keys of a table to a set.
func withKeys[V any](set map[string]bool, table map[string]V) map[string]bool {
	for key := range table {
		set[key] = true
	}
	return set
}
