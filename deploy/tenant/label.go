package tenant

import "github.com/riskpipe/riskpipe/schemas"

// The kinds of labels.
const (
	KindTheft  = "theft"  // takes data along when leaving: an alert is due
	KindMisuse = "misuse" // does any other harm: an alert is due
	KindBenign = "benign" // looks like it and is not: no alert is due
)

// The scenarios of the labels are the names of the policy templates.
const (
	ScenarioDepartingTheft    = "data_theft_departing_user"
	ScenarioLeaks             = "data_leaks"
	ScenarioPriorityLeaks     = "data_leaks_priority_user"
	ScenarioRiskyLeaks        = "data_leaks_risky_user"
	ScenarioViolation         = "security_violation"
	ScenarioDepartingViolator = "security_violation_departing_user"
	ScenarioRiskyViolator     = "security_violation_risky_user"
	ScenarioHealthcare        = "healthcare_data_misuse"
	ScenarioBrowsing          = "risky_browsing"
	ScenarioAI                = "risky_ai_use"
)

// Label says what is true of somebody.
type Label struct {
	User string `json:"user"` // UPN, lower case
	Kind string `json:"kind"` // KindTheft, KindMisuse or KindBenign
	// Scenario is the policy template which is to find the person, or which a
	// benign one might deceive. It is empty in labels written by older versions.
	Scenario string       `json:"scenario"`
	Story    string       `json:"story"` // one of the stories
	From     schemas.Time `json:"from"`  // when the story begins
	To       schemas.Time `json:"to"`    // when it ends
}

// AlertDue tells whether the person does what an alert should tell of.
func (l Label) AlertDue() bool { return l.Kind == KindTheft || l.Kind == KindMisuse }

// verdict is what a story amounts to.
type verdict struct{ kind, scenario string }

var verdicts = map[string]verdict{
	StoryTheft:          {KindTheft, ScenarioDepartingTheft},
	StorySlowTheft:      {KindTheft, ScenarioDepartingTheft},
	StoryQuietLeaver:    {KindBenign, ScenarioDepartingTheft},
	StoryHandover:       {KindBenign, ScenarioDepartingTheft},
	StoryWithdrawn:      {KindBenign, ScenarioDepartingTheft},
	StoryExternalMail:   {KindBenign, ScenarioLeaks},
	StoryBackup:         {KindBenign, ScenarioLeaks},
	StoryServiceAccount: {KindBenign, ScenarioLeaks},
	StoryContractor:     {KindTheft, ScenarioDepartingTheft},
	StoryContractorDone: {KindBenign, ScenarioDepartingTheft},

	StoryEmployeeTheft:    {KindMisuse, ScenarioLeaks},
	StoryMailDiversion:    {KindMisuse, ScenarioPriorityLeaks},
	StoryPublicLinks:      {KindMisuse, ScenarioRiskyLeaks},
	StoryTampering:        {KindMisuse, ScenarioViolation},
	StoryLeaverTampering:  {KindMisuse, ScenarioDepartingViolator},
	StoryDemotedTampering: {KindMisuse, ScenarioRiskyViolator},
	StoryPatientSnooping:  {KindMisuse, ScenarioHealthcare},
	StoryRiskySites:       {KindMisuse, ScenarioBrowsing},
	StoryAILeak:           {KindMisuse, ScenarioAI},

	StoryHandIn:         {KindBenign, ScenarioLeaks},
	StoryTraveller:      {KindBenign, ScenarioLeaks},
	StoryNewLaptop:      {KindBenign, ScenarioLeaks},
	StoryNightShift:     {KindBenign, ScenarioLeaks},
	StoryUSBHabit:       {KindBenign, ScenarioLeaks},
	StoryCorrespondence: {KindBenign, ScenarioPriorityLeaks},
	StoryPoorReview:     {KindBenign, ScenarioRiskyLeaks},
	StoryPromoted:       {KindBenign, ScenarioRiskyLeaks},
	StoryLowAlerts:      {KindBenign, ScenarioViolation},
	StoryLeaverAlerts:   {KindBenign, ScenarioDepartingViolator},
	StoryDemotedAlerts:  {KindBenign, ScenarioRiskyViolator},
	StoryPostponed:      {KindBenign, ScenarioDepartingTheft},
	StoryBusyNurse:      {KindBenign, ScenarioHealthcare},
	StoryStraySites:     {KindBenign, ScenarioBrowsing},
	StoryDailyAI:        {KindBenign, ScenarioAI},
}

// Labels says who is who, in the order of employment.
func (t *Tenant) Labels() []Label {
	var list []Label
	for i := range t.people {
		p := &t.people[i]
		if p.story == nil {
			continue
		}
		v := verdicts[p.story.name]
		list = append(list, Label{
			User: p.upn, Kind: v.kind, Scenario: v.scenario, Story: p.story.name,
			From: t.midnight(p.story.first), To: t.midnight(p.story.last + 1),
		})
	}
	return list
}
