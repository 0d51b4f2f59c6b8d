package normalise

import (
	"strconv"
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// interrupts are the Entra error codes with which a sign-in pauses because the
// user has something to do first: they are neither a success nor an attack.
// Codes that deny access (bad password, locked, disabled, blocked by conditional
// access, session revoked) are failures and not listed. The names are
// Microsoft's, by which some records give the error alone; 50143 and 70044 have
// none, and a description of ours.
// https://learn.microsoft.com/entra/identity-platform/reference-error-codes
var interrupts = map[int64]string{
	16000:   "SelectUserAccount",                             // choose among signed-in accounts
	50058:   "UserInformationNotProvided",                    // nobody signed in yet: single sign-on falls back to asking
	50072:   "UserStrongAuthEnrollmentRequiredInterrupt",     // register a second factor
	50074:   "UserStrongAuthClientAuthNRequiredInterrupt",    // second factor asked for
	50076:   "UserStrongAuthClientAuthNRequired",             // second factor needed by policy or place
	50079:   "UserStrongAuthEnrollmentRequired",              // register a second factor, by policy or place
	50097:   "DeviceAuthenticationRequired",                  // the device must authenticate
	50125:   "PasswordResetRegistrationRequiredInterrupt",    // register for password reset
	50127:   "BrokerAppNotInstalled",                         // install the broker app
	50129:   "DeviceIsNotWorkplaceJoined",                    // register the device
	50140:   "KmsiInterrupt",                                 // keep me signed in?
	50143:   "session of another tenant",                     // sign in again for the other tenant
	50158:   "ExternalSecurityChallenge",                     // challenge by another provider
	50168:   "ChromeBrowserSsoInterruptRequired",             // get a single sign-on token from the browser
	50199:   "CmsiInterrupt",                                 // is this the app you meant?
	51006:   "ForceReauthDueToInsufficientAuth",              // sign in with the stronger method
	65001:   "DelegationDoesNotExist",                        // consent to the application
	70016:   "AuthorizationPending",                          // device code not entered yet
	70043:   "BadTokenDueToSignInFrequency",                  // session too old for the policy
	70044:   "session too old for the policy",                // the same
	81006:   "DesktopSsoNoAuthorizationHeader",               // seamless single sign-on falls back to asking
	81010:   "DesktopSsoAuthTokenInvalid",                    // the same
	81012:   "DesktopSsoMismatchBetweenTokenUpnAndChosenUpn", // the same
	90094:   "AdminConsentRequired",                          // an administrator must consent
	1000002: "BindCompleteInterruptError",                    // done, but the user must be told
}

// failures are codes of common denials, for records which give the name alone.
var failures = map[string]int64{
	"invalidusernameorpassword":      50126,
	"useraccountnotfound":            50034,
	"idslocked":                      50053,
	"invalidpasswordexpiredpassword": 50055,
	"userdisabled":                   50057,
	"flowtokenexpired":               50089,
	"usernotbounderror":              1000000,
	"blockedbyconditionalaccess":     53003,
	"devicenotcompliant":             53000,
	"userdeclinedconsent":            65004,
}

// signInOutcome reads the result of a sign-in: an Entra error code as a number
// or a text, or a word.
func signInOutcome(e *Event, result string) {
	code, err := strconv.ParseInt(result, 10, 64)
	if err != nil {
		switch lowercase(result) {
		case "success", "succeeded":
			setSignInOutcome(e, 0, schemas.OutcomeSuccess)
		case "failure", "failed":
			setSignInOutcome(e, 0, schemas.OutcomeFailure)
		case "interrupted":
			setSignInOutcome(e, 0, schemas.OutcomeUnknown)
			interrupt(e)
		default:
			setSignInOutcome(e, 0, schemas.OutcomeUnknown)
		}
		return
	}
	outcome := schemas.OutcomeFailure
	if code == 0 {
		outcome = schemas.OutcomeSuccess
	}
	setSignInOutcome(e, code, outcome)
}

func setSignInOutcome(e *Event, code int64, outcome schemas.Outcome) {
	e.SignIn.StatusCode, e.Outcome = code, outcome
	switch {
	case interrupts[code] != "":
		interrupt(e)
	case outcome == schemas.OutcomeSuccess:
		e.Activity = activitySignInSucceeded
	case outcome == schemas.OutcomeFailure:
		e.Activity = activitySignInFailed
	default:
		e.Activity = activitySignInAttempted
	}
}

func interrupt(e *Event) {
	e.Activity, e.Outcome, e.SignIn.Interrupted = activitySignInInterrupted, schemas.OutcomeUnknown, true
}

// auditSignInOutcome reads the result of a sign-in in its Office 365 form.
// ResultStatus is "Success" on failed sign-ins, so that the operation, the error
// number and the name of the error decide.
func auditSignInOutcome(e *Event, operation string, number object, name string) {
	if strings.EqualFold(name, "none") {
		name = ""
	}
	code, ok := number.number()
	if !ok || code == 0 {
		code = codeNamed(name)
	}
	failed := code != 0 || name != "" || strings.Contains(lowercase(operation), "fail")
	outcome := schemas.OutcomeSuccess
	if failed {
		outcome = schemas.OutcomeFailure
	}
	setSignInOutcome(e, code, outcome)
	if strings.HasSuffix(lowercase(name), "interrupt") {
		interrupt(e)
	}
}

// codeNamed returns the Entra error code of a name, 0 when it is not known.
func codeNamed(name string) int64 {
	if name == "" {
		return 0
	}
	for code, known := range interrupts {
		if strings.EqualFold(known, name) {
			return code
		}
	}
	return failures[lowercase(name)]
}
