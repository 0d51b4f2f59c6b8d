package tenant

// Names and words of the invented organisation.

var givenNames = []string{
	"Ada", "Bruno", "Carla", "Dmitri", "Elif", "Farah", "Goran", "Hana", "Ivo", "Jonas", "Katya", "Lena", "Mateo", "Nadia", "Omar",
	"Paula", "Quentin", "Rosa", "Samir", "Tilda", "Ulrich", "Vera", "Wanda", "Xenia", "Yusuf", "Zora", "Aiko", "Björn", "Chiara", "Declan",
	"Esther", "Felix", "Greta", "Hugo", "Ines", "Jarek", "Kofi", "Lucía", "Magnus", "Noor",
}

var familyNames = []string{
	"Abel", "Brandt", "Castell", "Dorn", "Eklund", "Farkas", "Grauer", "Hollis", "Ibsen", "Jansky", "Kessler", "Lindqvist", "Marlowe", "Novak", "Oduya",
	"Pereira", "Quist", "Rossetti", "Sandoval", "Thorne", "Ueland", "Varga", "Weller", "Xifra", "Yilmaz", "Zeman", "Ashdown", "Bellweather", "Corvin",
	"Dahlgren", "Emerson", "Fairbanks", "Gallo", "Hartwell", "Iversen", "Jelinek", "Kowal", "Lorne", "Mistry", "Nakadai", "Osgood", "Penrose", "Quimby",
	"Ravel", "Sorensen", "Tamm", "Underhill", "Vance", "Whitlock", "Yates",
}

// role is a kind of work and how much of each activity a working day has.
type role struct {
	department, title, site                             string
	mails, external, attached, files, endpoint, printed float64
	printsOften                                         bool
}

var roles = []role{
	{"Engineering", "Engineer", "Engineering", 1.6, .06, .15, 5.5, 1.2, .02, false},
	{"Engineering", "Senior Engineer", "Platform", 1.6, .08, .15, 5.2, 1.2, .02, false},
	{"Sales", "Account Manager", "Sales", 3.6, .6, .35, 3.2, .6, .1, false},
	{"Sales", "Sales Representative", "Sales", 3.8, .65, .35, 3.0, .6, .1, false},
	{"Finance", "Accountant", "Finance", 2.0, .15, .35, 4.2, .8, .9, true},
	{"Finance", "Controller", "Finance", 2.0, .12, .35, 4.2, .8, .7, true},
	{"Human Resources", "HR Partner", "People", 2.2, .1, .2, 3.4, .5, .4, false},
	{"Legal", "Counsel", "Legal", 2.2, .3, .4, 4.0, .5, .5, true},
	{"Marketing", "Campaign Manager", "Marketing", 2.4, .35, .3, 4.0, .9, .1, false},
	{"Operations", "Analyst", "Operations", 1.8, .1, .2, 4.4, .7, .1, false},
	{"Support", "Support Engineer", "Support", 2.6, .4, .1, 3.6, .5, .05, false},
	{"Research", "Scientist", "Research", 1.6, .12, .25, 5.0, 1.0, .1, false},
}

// The indices of roles that stories need.
const (
	roleEngineer   = 0
	roleSales      = 2
	roleAccountant = 4
	roleMarketing  = 8
	roleOperations = 9
	roleSupport    = 10
	roleScientist  = 11
)

// place is where an office stands; people live near theirs.
type place struct {
	city, state, country, zone string
	latitude, longitude        float64
	offset                     int // of its clock from UTC in the tenant's weeks, hours
	asn                        int64
}

var places = []place{
	{"Lyon", "Rhone", "FR", "EUR", 45.75, 4.85, 1, 64496},
	{"Hamburg", "Hamburg", "DE", "EUR", 53.55, 9.99, 1, 64497},
	{"Leeds", "West Yorkshire", "GB", "GBR", 53.80, -1.55, 0, 64498},
	{"Chicago", "Illinois", "US", "NAM", 41.88, -87.63, -6, 64499},
	{"Boston", "Massachusetts", "US", "NAM", 42.36, -71.06, -5, 64500},
}

var partners = []string{
	"fabrikam.example", "northwind.example", "adatum.example", "litware.example", "proseware.example", "tailspin.example",
}

var personalMail = []string{"gmail.com", "outlook.com", "yahoo.com", "gmx.net", "icloud.com", "proton.me"}

var personalCloud = []string{"dropbox.com", "drive.google.com", "mega.nz", "wetransfer.com", "box.com"}

var businessCloud = []string{"portal.fabrikam.example", "upload.northwind.example", "chatgpt.com"}

var fileTopics = []string{
	"Budget", "Forecast", "Roadmap", "Contract", "Price List", "Customer List", "Design", "Specification", "Minutes", "Offer", "Invoice",
	"Test Report", "Onboarding", "Campaign", "Analysis", "Architecture", "Audit", "Presentation", "Plan", "Review", "Handbook", "Checklist",
}

var fileScopes = []string{
	"Atlas", "Borealis", "Cobalt", "Delta", "Ember", "Fjord", "Granite", "Harbor", "Iris", "Juniper", "Kestrel", "Lagoon", "Meridian", "Nimbus", "Orchid", "Pinnacle",
}

var fileExtensions = []string{"xlsx", "docx", "pptx", "pdf", "csv", "docx", "xlsx", "dwg", "png", "txt", "vsdx"}

var folders = []string{"Shared Documents/General", "Shared Documents/Projects", "Shared Documents/Archive", "Shared Documents/Customers/2026", "Shared Documents/Templates"}

var subjects = []string{
	"Agenda for", "Re: Question about", "Update on", "Numbers for", "Draft of", "FW: Decision on", "Re: Re: Timeline of", "Next steps in", "Notes from", "Invitation to",
}

// application is a cloud application that people sign in to.
type application struct{ name, id, resource, resourceID string }

// The ids are Microsoft's own, the same in every tenant.
// https://learn.microsoft.com/troubleshoot/entra/entra-id/governance/verify-first-party-apps-sign-in
var applications = []application{
	{"Office 365 Exchange Online", "00000002-0000-0ff1-ce00-000000000000", "Office 365 Exchange Online", "00000002-0000-0ff1-ce00-000000000000"},
	{"Microsoft Teams", "1fec8e78-bce4-4aaf-ab1b-5451cc387264", "Microsoft Graph", "00000003-0000-0000-c000-000000000000"},
	{"Office 365 SharePoint Online", "00000003-0000-0ff1-ce00-000000000000", "Office 365 SharePoint Online", "00000003-0000-0ff1-ce00-000000000000"},
	{"OneDrive SyncEngine", "ab9b8c07-8f02-4f72-87fa-80105867a763", "Office 365 SharePoint Online", "00000003-0000-0ff1-ce00-000000000000"},
	{"Microsoft Office", "d3590ed6-52b3-4102-aeff-aad2292ab01c", "Microsoft Graph", "00000003-0000-0000-c000-000000000000"},
	{"Azure Portal", "c44b4083-3bb0-49c1-b47d-974e53cbdf3c", "Windows Azure Service Management API", "797f4846-ba00-4fd7-ba43-dac1f8f63013"},
}

var userAgents = []string{
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/134.0.0.0 Safari/537.36 Edg/134.0.0.0",
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/134.0.0.0 Safari/537.36",
	"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.3 Safari/605.1.15",
}
