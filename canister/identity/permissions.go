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
	Method string
	Query  bool
	Cells  [Roles]Access
	Note   string
}

const (
	no, yes, part = Refused, Allowed, Limited

	noteOthers = "others' devices by rules 1 and 2; the guard leaves an unprotected device its own alias and its own removal; a temporary key never its own device"
	noteAdd    = "not while the guard is on; a mark is granted by a protected device alone"
	noteOpen   = "not while the guard is on"
	noteFinish = "only the device that opened registration mode, not while the guard is on"
	noteFirst  = "itself, while no device of the anchor is marked; or nothing changes"
	noteAsk    = "a device that the protected one has named"
	noteSelf   = "what is unmarked already"
)

// Permissions is the table of rule 10: the one source for docs/permissions.md, the canister and the test that
// walks its every cell.
var Permissions = []Permission{
	//                                         anyone  temp  unprot prot  contr
	{"create_challenge", false, [Roles]Access{yes, yes, yes, yes, yes}, ""},
	{"register", false, [Roles]Access{yes, yes, yes, yes, yes}, "as the new device or its temporary key; a mark takes the device itself"},
	{"add", false, [Roles]Access{no, part, part, yes, no}, noteAdd},
	{"update", false, [Roles]Access{no, part, part, part, no}, noteOthers},
	{"replace", false, [Roles]Access{no, part, part, part, no}, noteOthers},
	{"remove", false, [Roles]Access{no, part, part, part, no}, noteOthers},
	{"lookup", true, [Roles]Access{yes, yes, yes, yes, yes}, ""},
	{"lookup_by_credential", true, [Roles]Access{yes, yes, yes, yes, yes}, ""},
	{"lookup_caller", true, [Roles]Access{yes, yes, yes, yes, yes}, "answers with the anchors of the caller"},
	{"lookup_caller_identity_by_recovery_phrase", false, [Roles]Access{yes, yes, yes, yes, yes}, "answers with the anchor whose phrase calls"},
	{"lookup_device_key", true, [Roles]Access{yes, yes, yes, yes, yes}, ""},
	{"get_anchor_credentials", true, [Roles]Access{yes, yes, yes, yes, yes}, ""},
	{"get_anchor_info", false, [Roles]Access{no, yes, yes, yes, no}, ""},
	{"get_principal", true, [Roles]Access{no, yes, yes, yes, no}, ""},
	{"prepare_delegation", false, [Roles]Access{no, yes, yes, yes, no}, ""},
	{"get_delegation", true, [Roles]Access{no, yes, yes, yes, no}, ""},
	{"enter_device_registration_mode", false, [Roles]Access{no, no, part, yes, no}, noteOpen},
	{"exit_device_registration_mode", false, [Roles]Access{no, no, part, yes, no}, noteFinish},
	{"add_tentative_device", false, [Roles]Access{yes, yes, yes, yes, yes}, ""},
	{"verify_tentative_device", false, [Roles]Access{no, no, part, yes, no}, noteFinish},
	{"protect", false, [Roles]Access{no, no, part, yes, no}, noteFirst},
	{"unprotect", false, [Roles]Access{no, no, part, part, no}, noteSelf + "; a protected device itself, or one whose mark is not proven yet"},
	{"guard_set", false, [Roles]Access{no, no, no, yes, no}, ""},
	{"device_bound_set", false, [Roles]Access{no, no, no, yes, no}, ""},
	{"session_limit_set", false, [Roles]Access{no, no, no, yes, no}, ""},
	{"release_consent", false, [Roles]Access{no, no, no, yes, no}, "to its own release"},
	{"release_request", false, [Roles]Access{no, no, part, part, no}, noteAsk},
	{"release_cancel", false, [Roles]Access{no, no, no, yes, no}, "any call of the device that is asked for has cancelled already"},
	{"release_complete", false, [Roles]Access{no, no, part, part, no}, noteAsk + ", and that has asked, after the delay"},
	{"recovery_report", true, [Roles]Access{no, yes, yes, yes, no}, ""},
	{"history", true, [Roles]Access{no, yes, yes, yes, no}, ""},
	{"attestation_challenge", false, [Roles]Access{no, no, yes, yes, no}, "its own"},
	{"attest", false, [Roles]Access{no, no, yes, yes, no}, "itself"},
	{"init_salt", false, [Roles]Access{yes, yes, yes, yes, yes}, ""},
	{"whoami", true, [Roles]Access{yes, yes, yes, yes, yes}, ""},
	{"stats", true, [Roles]Access{yes, yes, yes, yes, yes}, ""},
	{"config", true, [Roles]Access{yes, yes, yes, yes, yes}, ""},
	{"http_request", true, [Roles]Access{yes, yes, yes, yes, yes}, ""},
	{"migration_status", true, [Roles]Access{no, no, no, no, yes}, ""},
	{"migration_step", false, [Roles]Access{no, no, no, no, yes}, ""},
	{"migration_pause", false, [Roles]Access{no, no, no, no, yes}, ""},
	{"migration_resume", false, [Roles]Access{no, no, no, no, yes}, ""},
	{"finalize_migration", false, [Roles]Access{no, no, no, no, yes}, ""},
	{"fsck", false, [Roles]Access{no, no, no, no, yes}, ""},
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
