package identity

var scenarioWords = [Scenarios]string{
	"you lose one device",
	"you lose all your everyday devices",
	"you lose them and the passcode of your cloud backup",
	"your cloud account is closed",
	"you move to another maker's devices",
	"the web address of the sign-in page is gone",
	"a thief copies your recovery phrase",
	"a thief takes an unlocked device",
	"you lose your recovery phrase",
	"one model of authenticator fails",
	"your recovery contacts collude or are deceived",
}

var outcomeWords = [Outcomes]string{
	"you get back in and keep control",
	"you get control back once the release, or the recovery by your contacts, has run its delay",
	"you can sign in, but the lost protected devices stay and nothing can be protected again",
	"you and the thief both hold on",
	"you are locked out",
	"the thief can take the anchor over",
}

var stepWords = [Steps]string{
	"nothing to do here",
	"sign a call with the protected device that has never signed one here; for a recovery phrase, type its words",
	"protect the recovery phrase, signing with it",
	"let the protected devices consent to their release, naming the devices that may ask",
	"add a recovery phrase, type it back and protect it",
	"add a device-bound hardware key of another model, protect it and keep it elsewhere",
	"name recovery contacts, people who would know your voice, agree to them and have them accept",
	"let every protected device agree to the recovery contacts",
	"have your recovery contacts accept",
}

// Words says in English what the finding found.
func (f Finding) Words() string {
	if f.Scenario == ContactsDeceived {
		return "if " + scenarioWords[f.Scenario] + ", you keep control as long as one of your protected devices signs a call within the delay"
	}
	return "if " + scenarioWords[f.Scenario] + ", " + outcomeWords[f.Outcome]
}

// Words says in English what to do.
func (s Step) Words() string { return stepWords[s] }
