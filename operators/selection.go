package operators

// Selection is a list of conditions in Sigma's form, all of which must hold:
//
//	email.attachments|gte: 1
//	destination.class: [personal_mail, personal_cloud]
//
// Without a modifier a value must equal the one given, or one of a list.
type Selection map[string]Values

// Values is one value or a list of alternatives.
type Values []string
