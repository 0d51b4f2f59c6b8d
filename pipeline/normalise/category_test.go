package normalise

import (
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
)

func categoryMapper() *Mapper {
	return New(Options{
		Hash:       testHash,
		Domains:    NewDomains(map[string][]string{ClassInternal: {"contoso.com"}, ClassAI: {"chat.example", "bot.example"}}),
		Categories: map[string][]string{CategoryGambling: {"*.bets.example"}, CategoryHacking: {"bot.example"}},
	})
}

// A visited site has the category of the lists or of upstream's filter, which
// knows the page; a visit that was stopped is a failure.
func TestCategories(t *testing.T) {
	row := func(members string) string {
		return `{"category":"AdvancedHunting-DeviceEvents","properties":{"Timestamp":"2026-03-02T08:15:30Z","DeviceId":"d1","ReportId":7,
			"InitiatingProcessAccountUpn":"ada@contoso.com",` + members + `}}`
	}
	for name, test := range map[string]struct {
		text, activity, category string
		outcome                  schemas.Outcome
	}{
		"a listed domain's subdomain": {row(`"ActionType":"BrowserLaunchedToOpenUrl","RemoteUrl":"https://www.bets.example/a"`), "web.visited", "gambling", schemas.OutcomeSuccess},
		"any other site":              {row(`"ActionType":"BrowserLaunchedToOpenUrl","RemoteUrl":"https://news.example"`), "web.visited", "", schemas.OutcomeSuccess},
		"an assistant":                {row(`"ActionType":"BrowserLaunchedToOpenUrl","RemoteUrl":"https://chat.example"`), "web.visited", "llm", schemas.OutcomeSuccess},
		"a list before the class":     {row(`"ActionType":"BrowserLaunchedToOpenUrl","RemoteUrl":"https://bot.example"`), "web.visited", "hacking", schemas.OutcomeSuccess},
		"a warning":                   {row(`"ActionType":"SmartScreenUrlWarning","RemoteUrl":"https://bank.bets.example","AdditionalFields":"{\"Experience\":\"Phishing\"}"`), "web.visited", "phishing", schemas.OutcomeSuccess},
		"a warning about an app":      {row(`"ActionType":"SmartScreenAppWarning","FileName":"a.exe","AdditionalFields":{"Experience":"Malicious"}`), "web.visited", "malware", schemas.OutcomeSuccess},
		"the organisation's own list": {row(`"ActionType":"SmartScreenUrlWarning","RemoteUrl":"https://x.bets.example","AdditionalFields":{"Experience":"CustomBlockList"}`), "web.visited", "gambling", schemas.OutcomeFailure},
		"going on all the same":       {row(`"ActionType":"SmartScreenUserOverride","RemoteUrl":"https://x.bets.example"`), "web.visited", "gambling", schemas.OutcomeSuccess},
		"a block":                     {row(`"ActionType":"ExploitGuardNetworkProtectionBlocked","RemoteUrl":"evil.example","AdditionalFields":{"ResponseCategory":"CommandAndControl","IsAudit":false}`), "web.visited", "malware", schemas.OutcomeFailure},
		"an audit":                    {row(`"ActionType":"ExploitGuardNetworkProtectionAudited","RemoteUrl":"evil.example","AdditionalFields":{"ResponseCategory":"CustomBlockList","IsAudit":true}`), "web.visited", "", schemas.OutcomeSuccess},
		"a connection": {
			`{"category":"AdvancedHunting-DeviceNetworkEvents","properties":{"Timestamp":"2026-03-02T08:15:30Z","DeviceId":"d1","ReportId":7,"ActionType":"ConnectionSuccess","RemotePort":443,
			"InitiatingProcessAccountUpn":"ada@contoso.com","RemoteUrl":"live.bets.example","RemoteIP":"203.0.113.9"}}`, "network.connected", "gambling", schemas.OutcomeSuccess,
		},
		"a click": {
			`{"category":"AdvancedHunting-UrlClickEvents","properties":{"Timestamp":"2026-03-02T08:15:30Z","Url":"https://bets.example/x","AccountUpn":"ada@contoso.com","ActionType":"ClickBlocked","ReportId":"r1","IsClickedThrough":0}}`,
			"browsing.clicked", "gambling", schemas.OutcomeFailure,
		},
	} {
		out := mapBytes(categoryMapper(), schemas.SourceDefender, test.text)
		if len(out.Events) != 1 || out.Events[0].Destination == nil && test.category != "" {
			t.Errorf("%s: %s %v", name, counts(out), out.Rejects)
			continue
		}
		e := out.Events[0]
		sees(t, name, e.Activity, test.activity)
		sees(t, name, e.Outcome, test.outcome)
		sees(t, name, e.Source, schemas.SourceDefender)
		if e.Destination != nil {
			sees(t, name, e.Destination.Category, test.category)
		}
	}
}

// What filters call a kind of site is read whatever its spelling.
func TestUpstreamCategory(t *testing.T) {
	for text, category := range map[string]string{
		"TechScam": "phishing", "Exploit": "malware", "Pornography/Sexually explicit": "adult", "Hate & intolerance": "hate",
		"Child abuse images": "child_abuse", "Cults": "cult", "Criminal activity": "criminal_activity", "Illegal software": "illegal_software",
		"Hacking": "hacking", "Violence": "violence", "Gambling": "gambling", "CustomPolicy": "", "": "",
	} {
		sees(t, text, upstreamCategory(text), category)
	}
	for _, category := range Categories() {
		if !IsIdentifier(category) {
			t.Errorf("category %q", category)
		}
	}
}
