package identity

// Role is what a caller is to an anchor, or to the canister.
type Role uint8

// The roles of rule 10.
const (
	RoleAnyone Role = iota
	RoleTemporary
	RoleUnprotected
	RoleProtected
	RoleController
	Roles = 5
)

var roleNames = [Roles]string{"anyone", "temporary key", "unprotected device", "protected device", "controller"}

// String returns the column title of the role.
func (r Role) String() string { return roleNames[r] }

// Access is one cell of the permissions table.
type Access uint8

// The accesses. What Limited means for a row is its Note.
const (
	Refused Access = iota
	Allowed
	Limited
)

// String returns the cell as docs/permissions.md prints it.
func (a Access) String() string { return [...]string{"–", "yes", "limited"}[a] }

// Permission is one row of the permissions table: a method, and who may call it to what effect. A
// controller that is no device of the anchor is anyone to it.
type Permission struct {
	Method   string
	Query    bool
	Cells    [Roles]Access
	Argument int // length of the longest legal argument in bytes, as Candid has it without need of more
	Note     string
}

// Lengths of arguments in bytes, the type table included. A test computes them.
const (
	argNone       = 6
	argNumber     = 20
	argKey        = argNumber + 5 + MaxPublicKey        // a device's key beside the anchor
	argDevice     = argNumber + MaxVariableBytes + 2500 // the metadata of an import may exceed the limit, as far as an old record goes
	argCredential = 30 + MaxCredentialID
	argFrontend   = argNumber + 2 + 255
	argSession    = argFrontend + 8 + MaxSessionKey + 10
	argConsent    = 50 + MaxAskers*(MaxPublicKey+2)
	argAssertion  = 50 + 4096 + 1024 + 512
	argContact    = argNumber + 60
	argContacts   = 40 + 10 + 8*MaxContacts
	argRequest    = 64 << 10 // what a gateway passes on
)

const (
	no, yes, part = Refused, Allowed, Limited

	noteOthers = "others' devices by rules 1 and 2; the guard leaves an unprotected device its own alias and its own removal; a temporary key never its own device"
	noteAdd    = "not while the guard is on; a mark is granted by a protected device alone"
	noteOpen   = "not while the guard is on"
	noteFinish = "only the device that opened registration mode, not while the guard is on"
	noteFirst  = "itself, while no device of the anchor is marked; or nothing changes"
	noteAsk    = "a device that the protected one has named"
	noteSelf   = "what is unmarked already"

	noteContact = "whatever it is here, a device of a recovery contact's anchor, a protected one if that is guarded"
)

// Permissions is the table of rule 10: the one source for docs/permissions.md, the canister and the test that
// walks its every cell.
var Permissions = []Permission{
	//                                         anyone  temp  unprot prot  contr
	{"create_challenge", false, [Roles]Access{yes, yes, yes, yes, yes}, argNone, ""},
	{"register", false, [Roles]Access{yes, yes, yes, yes, yes}, argDevice, "as the new device or its temporary key; a mark takes the device itself"},
	{"add", false, [Roles]Access{no, part, part, yes, no}, argDevice, noteAdd},
	{"update", false, [Roles]Access{no, part, part, part, no}, argKey + argDevice, noteOthers},
	{"replace", false, [Roles]Access{no, part, part, part, no}, argKey + argDevice, noteOthers},
	{"remove", false, [Roles]Access{no, part, part, part, no}, argKey, noteOthers},
	{"lookup", true, [Roles]Access{yes, yes, yes, yes, yes}, argNumber, ""},
	{"lookup_by_credential", true, [Roles]Access{yes, yes, yes, yes, yes}, argCredential, ""},
	{"lookup_caller", true, [Roles]Access{yes, yes, yes, yes, yes}, argNumber, "answers with the anchors of the caller"},
	{"lookup_caller_identity_by_recovery_phrase", false, [Roles]Access{yes, yes, yes, yes, yes}, argNone, "answers with the anchor whose phrase calls"},
	{"lookup_device_key", true, [Roles]Access{yes, yes, yes, yes, yes}, argCredential, ""},
	{"get_anchor_credentials", true, [Roles]Access{yes, yes, yes, yes, yes}, argNumber, ""},
	{"get_anchor_info", false, [Roles]Access{no, yes, yes, yes, no}, argNumber, ""},
	{"get_principal", true, [Roles]Access{no, yes, yes, yes, no}, argFrontend, ""},
	{"prepare_delegation", false, [Roles]Access{no, yes, yes, yes, no}, argSession, ""},
	{"get_delegation", true, [Roles]Access{no, yes, yes, yes, no}, argSession, ""},
	{"enter_device_registration_mode", false, [Roles]Access{no, no, part, yes, no}, argNumber, noteOpen},
	{"exit_device_registration_mode", false, [Roles]Access{no, no, part, yes, no}, argNumber, noteFinish},
	{"add_tentative_device", false, [Roles]Access{yes, yes, yes, yes, yes}, argDevice, ""},
	{"verify_tentative_device", false, [Roles]Access{no, no, part, yes, no}, argFrontend, noteFinish},
	{"protect", false, [Roles]Access{no, no, part, yes, no}, argKey, noteFirst},
	{"unprotect", false, [Roles]Access{no, no, part, part, no}, argKey, noteSelf + "; a protected device itself, or one whose mark is not proven yet"},
	{"guard_set", false, [Roles]Access{no, no, no, yes, no}, argNumber, ""},
	{"device_bound_set", false, [Roles]Access{no, no, no, yes, no}, argNumber, ""},
	{"session_limit_set", false, [Roles]Access{no, no, no, yes, no}, argKey, ""},
	{"release_consent", false, [Roles]Access{no, no, no, yes, no}, argConsent, "to its own release"},
	{"release_request", false, [Roles]Access{no, no, part, part, no}, argKey, noteAsk},
	{"release_cancel", false, [Roles]Access{no, no, no, yes, no}, argKey, "any call of the device that is asked for has cancelled already"},
	{"release_complete", false, [Roles]Access{no, no, part, part, no}, argKey, noteAsk + ", and that has asked, after the delay"},
	{"contacts_set", false, [Roles]Access{no, no, no, yes, no}, argContacts, ""},
	{"contacts_agree", false, [Roles]Access{no, no, no, yes, no}, argNumber, "to its own release"},
	{"contacts_complete", false, [Roles]Access{part, part, part, no, part}, argDevice, "the new key that enough contacts have approved, after the delay"},
	{"contact_accept", false, [Roles]Access{part, part, part, part, part}, argContact, noteContact},
	{"contact_approve", false, [Roles]Access{part, part, part, part, part}, argContact, noteContact + "; what a protected device approved, only a protected one changes"},
	{"contact_withdraw", false, [Roles]Access{part, part, part, part, part}, argContact, noteContact + "; what a protected device approved, only a protected one changes"},
	{"contact_status", true, [Roles]Access{part, part, part, part, part}, argContact, noteContact + "; or the approved key, of itself"},
	{"recovery_report", true, [Roles]Access{no, yes, yes, yes, no}, argNumber, ""},
	{"history", true, [Roles]Access{no, yes, yes, yes, no}, argKey, ""},
	{"attestation_challenge", false, [Roles]Access{no, no, yes, yes, no}, argNumber, "its own"},
	{"attest", false, [Roles]Access{no, no, yes, yes, no}, argAssertion, "itself"},
	{"init_salt", false, [Roles]Access{yes, yes, yes, yes, yes}, argNone, ""},
	{"whoami", true, [Roles]Access{yes, yes, yes, yes, yes}, argNone, ""},
	{"stats", true, [Roles]Access{yes, yes, yes, yes, yes}, argNone, ""},
	{"config", true, [Roles]Access{yes, yes, yes, yes, yes}, argNone, ""},
	{"http_request", true, [Roles]Access{yes, yes, yes, yes, yes}, argRequest, ""},
	{"migration_status", true, [Roles]Access{no, no, no, no, yes}, argNone, ""},
	{"migration_step", false, [Roles]Access{no, no, no, no, yes}, argKey, ""},
	{"migration_pause", false, [Roles]Access{no, no, no, no, yes}, argNone, ""},
	{"migration_resume", false, [Roles]Access{no, no, no, no, yes}, argNone, ""},
	{"finalize_migration", false, [Roles]Access{no, no, no, no, yes}, argKey, ""},
	{"fsck", false, [Roles]Access{no, no, no, no, yes}, argKey, ""},
}

// PermissionOf returns the row of a method; ok is false for a method that the table does not know.
func PermissionOf(method string) (row Permission, ok bool) {
	for i := range Permissions {
		if Permissions[i].Method == method {
			return Permissions[i], true
		}
	}
	return Permission{}, false
}

// PermissionsTable renders the table in Markdown, for docs/permissions.md.
func PermissionsTable() string {
	out := "| method |"
	rule := "|---|"
	for r := Role(0); r < Roles; r++ {
		out += " " + r.String() + " |"
		rule += "---|"
	}
	out += " limits |\n" + rule + "---|\n"
	for _, row := range Permissions {
		out += "| `" + row.Method + "` |"
		for _, cell := range row.Cells {
			out += " " + cell.String() + " |"
		}
		out += " " + row.Note + " |\n"
	}
	return out
}
