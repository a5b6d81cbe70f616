package subnet

import (
	"context"
	"fmt"
	"strings"

	"kedge/ic/management"
	"kedge/ic/principal"
	"kedge/replica/cycles"
	"kedge/replica/outcall"
	"kedge/replica/reject"
)

// The management canister: which methods there are, who may call them, and how they are dispatched.
// What they do is in the files manage_*.go.

// access says who may call a management method.
type access uint8

const (
	byControllers access = iota // of the canister that the call is about
	byOperators                 // controllers, whom production refuses all others by name: it lets admins of the subnet do the same
	bySelf                      // controllers and the canister itself
	byAnyone
	byCanisters     // not by users
	byStatusReaders // controllers and whoever status_visibility names
	byLogReaders    // controllers and whoever log_visibility names; users by query only
	byShotReaders   // controllers and whoever snapshot_visibility names
)

// managementMethod is one method. A pending method answers later, by itself.
type managementMethod struct {
	access access
	query  bool // also answers queries
	// target decodes which canister a call is about; nil if about none.
	target func(arg []byte) (principal.Principal, error)
	// read tells whether the argument of a call that is about a subnet decodes, which decides where it goes; nil if the
	// call stays on the caller's subnet unread.
	read func(arg []byte) error
	run  func(m *managementCall, c *canister) (reply []byte, err *reject.Error)
}

// managementCall is a call of a management method being executed.
type managementCall struct {
	*Subnet
	ctx      context.Context
	req      *call
	accepted cycles.Amount // of the cycles that came with the call
	pending  bool          // the answer comes later
}

// about makes a method that is about one canister, which must exist.
func about[A any](who access, decode func([]byte) (A, error), id func(A) principal.Principal,
	run func(m *managementCall, c *canister, arg A) ([]byte, *reject.Error)) managementMethod {
	return managementMethod{
		access: who,
		target: func(arg []byte) (principal.Principal, error) {
			a, err := decode(arg)
			return id(a), err
		},
		run: func(m *managementCall, c *canister) ([]byte, *reject.Error) {
			a, err := decode(m.req.Arg)
			if err != nil {
				return nil, badPayload(m.req.Method, m.req.Arg, err)
			}
			return run(m, c, a)
		},
	}
}

// general makes a method that is about no canister that exists already.
func general[A any](who access, decode func([]byte) (A, error), run func(m *managementCall, arg A) ([]byte, *reject.Error)) managementMethod {
	return managementMethod{access: who, run: func(m *managementCall, _ *canister) ([]byte, *reject.Error) {
		a, err := decode(m.req.Arg)
		if err != nil {
			return nil, badPayload(m.req.Method, m.req.Arg, err)
		}
		return run(m, a)
	}}
}

// aboutSubnet marks a method whose argument says which subnet a call goes to.
func aboutSubnet[A any](m managementMethod, decode func([]byte) (A, error)) managementMethod {
	m.read = func(arg []byte) error {
		_, err := decode(arg)
		return err
	}
	return m
}

// asQuery marks a method as one that answers queries too.
func asQuery(m managementMethod) managementMethod {
	m.query = true
	return m
}

// badSubmission is badPayload for an ingress message that was not taken in yet.
func badSubmission(method string, arg []byte, err error) *reject.Error {
	return reject.New(reject.InvalidManagementPayload, "Failed to parse payload for ic00 method %s: %s", method, badPayload(method, arg, err))
}

// unroutable is the refusal of a canister's call that is about nothing on this network.
func unroutable(method, why string) *reject.Error {
	return reject.New(reject.CanisterNotFound, "Unable to route management canister request %s: %s", method, why)
}

// unreadable is unroutable for an argument that does not decode: production reads it to find out where the call goes.
func unreadable(method string, arg []byte, err error) *reject.Error {
	return unroutable(method, fmt.Sprintf("UserError(UserError { code: InvalidManagementPayload, description: %q })", badPayload(method, arg, err).Message))
}

// routedAs is how production names a method that is about a canister which it does not find: the five whose argument
// is a canister alone are routed as one (dfinity/ic, rs/embedders, system_api/routing.rs, resolve_destination).
func routedAs(method string) string {
	switch method {
	case "canister_status", "start_canister", "stop_canister", "delete_canister":
		return "DepositCycles"
	}
	return camelCase(method)
}

// camelCase is a method's name as production's source spells it: "stop_canister" becomes "StopCanister".
func camelCase(method string) string {
	var out strings.Builder
	for word := range strings.SplitSeq(method, "_") {
		if word != "" {
			out.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return out.String()
}

// maxListed is the most controllers, or viewers, that settings may name.
const maxListed = 10

// bounded decodes an argument with settings and refuses lists that are too long, as production's decoder does.
func bounded[A any](decode func([]byte) (A, error), settings func(A) *management.Settings) func([]byte) (A, error) {
	return func(arg []byte) (A, error) {
		a, err := decode(arg)
		s := settings(a)
		if err != nil || s == nil {
			return a, err
		}
		longest := len(s.Controllers)
		for _, v := range []*management.Visibility{s.LogVisibility, s.SnapshotVisibility, s.StatusVisibility} {
			if v != nil {
				longest = max(longest, len(v.AllowedViewers))
			}
		}
		if longest > maxListed {
			//lint:ignore ST1005 clients see production's wording
			err = fmt.Errorf("Fail to decode argument 0: Deserialize error: The number of elements exceeds maximum allowed %d", maxListed) //nolint:staticcheck // production's words
		}
		return a, err
	}
}

func canisterOf(a management.CanisterArg) principal.Principal { return a.CanisterID }

// managementMethods are the methods by name. It is filled by init, since its functions look into it, too.
var managementMethods map[string]managementMethod

func init() {
	managementMethods = map[string]managementMethod{
		"create_canister": general(byCanisters, bounded(management.DecodeCreateCanisterArgs, func(a management.CreateArg) *management.Settings { return a.Settings }), createCanister),
		"provisional_create_canister_with_cycles": general(byAnyone,
			bounded(management.DecodeProvisionalCreateCanisterWithCyclesArgs, func(a management.ProvisionalCreateArg) *management.Settings { return a.Settings }),
			provisionalCreate),
		"provisional_top_up_canister": about(byAnyone, management.DecodeProvisionalTopUpCanisterArgs,
			func(a management.ProvisionalTopUpArg) principal.Principal { return a.CanisterID }, provisionalTopUp),
		"update_settings": about(byControllers, bounded(management.DecodeUpdateSettingsArgs, func(a management.UpdateSettingsArg) *management.Settings { return &a.Settings }),
			func(a management.UpdateSettingsArg) principal.Principal { return a.CanisterID }, updateSettings),
		"install_code": about(byControllers, management.DecodeInstallCodeArgs,
			func(a management.InstallArg) principal.Principal { return a.CanisterID }, installCode),
		"install_chunked_code": about(byControllers, management.DecodeInstallChunkedCodeArgs,
			func(a management.InstallChunkedArg) principal.Principal { return a.TargetCanister }, installChunkedCode),
		"upload_chunk": about(bySelf, management.DecodeUploadChunkArgs,
			func(a management.UploadChunkArg) principal.Principal { return a.CanisterID }, uploadChunk),
		"clear_chunk_store": about(bySelf, management.DecodeClearChunkStoreArgs, canisterOf, clearChunkStore),
		"stored_chunks":     about(bySelf, management.DecodeStoredChunksArgs, canisterOf, storedChunks),
		"uninstall_code": about(byOperators, management.DecodeUninstallCodeArgs,
			func(a management.VersionedCanisterArg) principal.Principal { return a.CanisterID }, uninstallCode),
		"start_canister":  about(byOperators, management.DecodeStartCanisterArgs, canisterOf, startCanister),
		"stop_canister":   about(byOperators, management.DecodeStopCanisterArgs, canisterOf, stopCanister),
		"delete_canister": about(byOperators, management.DecodeDeleteCanisterArgs, canisterOf, deleteCanister),
		"deposit_cycles":  about(byCanisters, management.DecodeDepositCyclesArgs, canisterOf, depositCycles),
		"canister_status": asQuery(about(byStatusReaders, management.DecodeCanisterStatusArgs, canisterOf, canisterStatus)),
		"canister_metrics": asQuery(about(byOperators, management.DecodeCanisterMetricsArgs, canisterOf,
			canisterMetrics)),
		"canister_info": about(byCanisters, management.DecodeCanisterInfoArgs,
			func(a management.InfoArg) principal.Principal { return a.CanisterID }, canisterInfo),
		"canister_metadata": about(byCanisters, management.DecodeCanisterMetadataArgs,
			func(a management.MetadataArg) principal.Principal { return a.CanisterID }, canisterMetadata),
		"fetch_canister_logs": asQuery(about(byLogReaders, management.DecodeFetchCanisterLogsArgs,
			func(a management.LogsArg) principal.Principal { return a.CanisterID }, fetchLogs)),
		"http_request": general(byCanisters, outcall.DecodeHttpRequestArgs, httpRequest),
		"raw_rand": general(byCanisters, func(b []byte) (struct{}, error) { return struct{}{}, management.DecodeRawRandArgs(b) },
			rawRand),
		"subnet_info": aboutSubnet(general(byCanisters, management.DecodeSubnetInfoArgs, subnetInfo), management.DecodeSubnetInfoArgs),
		"take_canister_snapshot": about(byControllers, management.DecodeTakeCanisterSnapshotArgs,
			func(a management.TakeSnapshotArg) principal.Principal { return a.CanisterID }, takeSnapshot),
		"load_canister_snapshot": about(byControllers, management.DecodeLoadCanisterSnapshotArgs,
			func(a management.LoadSnapshotArg) principal.Principal { return a.CanisterID }, loadSnapshot),
		"list_canister_snapshots": about(byShotReaders, management.DecodeListCanisterSnapshotsArgs, canisterOf, listSnapshots),
		"delete_canister_snapshot": about(byControllers, management.DecodeDeleteCanisterSnapshotArgs,
			func(a management.SnapshotArg) principal.Principal { return a.CanisterID }, deleteSnapshot),
		"read_canister_snapshot_metadata": about(byShotReaders, management.DecodeReadCanisterSnapshotMetadataArgs,
			func(a management.SnapshotArg) principal.Principal { return a.CanisterID }, readSnapshotMetadata),
		"read_canister_snapshot_data": about(byShotReaders, management.DecodeReadCanisterSnapshotDataArgs,
			func(a management.ReadSnapshotDataArg) principal.Principal { return a.CanisterID }, readSnapshotData),
		"upload_canister_snapshot_metadata": about(byControllers, management.DecodeUploadCanisterSnapshotMetadataArgs,
			func(a management.UploadSnapshotMetadataArg) principal.Principal { return a.CanisterID }, uploadSnapshotMetadata),
		"upload_canister_snapshot_data": about(byControllers, management.DecodeUploadCanisterSnapshotDataArgs,
			func(a management.UploadSnapshotDataArg) principal.Principal { return a.CanisterID }, uploadSnapshotData),
	}
}

// Target is the canister that a call of a management method is about, if there is one and the argument decodes.
func Target(method string, arg []byte) (canister principal.Principal, ok bool) {
	m, ok := managementMethods[method]
	if !ok || m.target == nil {
		return canister, false
	}
	canister, err := m.target(arg)
	return canister, err == nil
}

// absentMethods are the methods of the specification that this network refuses, and why.
var absentMethods = map[string]string{
	"http_request": "HTTP outcalls", "node_metrics_history": "metrics of nodes", "list_canisters": "subnet admins",
	"ecdsa_public_key": "threshold keys", "sign_with_ecdsa": "threshold keys",
	"schnorr_public_key": "threshold keys", "sign_with_schnorr": "threshold keys",
	"vetkd_public_key": "threshold keys", "vetkd_derive_key": "threshold keys",
}

// absent says what a method of the specification would need that this network does not have.
func absent(name string) (what string, known bool) {
	if strings.HasPrefix(name, "bitcoin_") {
		return "Bitcoin network", true
	}
	what, known = absentMethods[name]
	return what, known
}

// onlyCanisters refuses users.
func onlyCanisters(method string) *reject.Error {
	return reject.New(reject.CanisterRejectedMessage, "Only canisters can call ic00 method %s", method)
}

// noSuchMethod refuses a method that the management canister of this network does not have.
func noSuchMethod(name string) *reject.Error {
	if what, known := absent(name); known {
		return reject.New(reject.CanisterRejectedMessage, "This local network has no %s: the management method %q is not available", what, name)
	}
	return reject.New(reject.MethodNotFound, "Management canister has no method '%s'", name)
}

// missing refuses a call of a method that this network does not have. A canister whose argument is not Candid, or is
// absent, is told what production tells it before it looks for a subnet that has what the method needs.
func (m *managementCall) missing() *reject.Error {
	name, arg := m.req.Method, m.req.Arg
	_, known := absent(name)
	switch {
	case !known || m.req.Origin.Kind != fromCanister || !unreadableAnyway(name, arg):
	case name == "http_request":
		return badPayload(name, arg, nil)
	case name == "list_canisters", name == "bitcoin_get_successors", name == "bitcoin_send_transaction_internal":
		// they go to the canister's own subnet unread
	default:
		return unreadable(name, arg, nil)
	}
	return noSuchMethod(name)
}

// executeManagement runs a call of the management canister.
func (n *Subnet) executeManagement(ctx context.Context, req *call) {
	n.markProcessing(req.Origin)
	m := &managementCall{Subnet: n, ctx: ctx, req: req}
	reply, err := m.dispatch()
	refund := req.Cycles.Minus(m.accepted)
	switch {
	case m.pending:
	case err != nil && err.Code == reject.MethodNotFound:
		n.respond(req.Origin, failed(req.Origin, err), req.Cycles)
	case err != nil:
		n.respond(req.Origin, refused(err), req.Cycles)
	default:
		n.respond(req.Origin, replied(reply), refund)
	}
}

func (m *managementCall) dispatch() ([]byte, *reject.Error) {
	method, ok := managementMethods[m.req.Method]
	if !ok || !m.switchedOn(m.req.Method) {
		return nil, m.missing()
	}
	c, err := m.authorize(method, m.req)
	if err != nil {
		return nil, err
	}
	if err := m.checkSenderVersion(); err != nil {
		return nil, err
	}
	defer m.payDelayedFee(c, m.req)
	return method.run(m, c)
}

// senderVersions decode the sender_canister_version of the methods that take one.
var senderVersions = map[string]func(arg []byte) *uint64{
	"create_canister": senderVersion(management.DecodeCreateCanisterArgs, func(a management.CreateArg) *uint64 { return a.SenderCanisterVersion }),
	"update_settings": senderVersion(management.DecodeUpdateSettingsArgs, func(a management.UpdateSettingsArg) *uint64 { return a.SenderCanisterVersion }),
	"install_code":    senderVersion(management.DecodeInstallCodeArgs, func(a management.InstallArg) *uint64 { return a.SenderCanisterVersion }),
	"uninstall_code":  senderVersion(management.DecodeUninstallCodeArgs, func(a management.VersionedCanisterArg) *uint64 { return a.SenderCanisterVersion }),
	"install_chunked_code": senderVersion(management.DecodeInstallChunkedCodeArgs,
		func(a management.InstallChunkedArg) *uint64 { return a.SenderCanisterVersion }),
	"provisional_create_canister_with_cycles": senderVersion(management.DecodeProvisionalCreateCanisterWithCyclesArgs,
		func(a management.ProvisionalCreateArg) *uint64 { return a.SenderCanisterVersion }),
	"take_canister_snapshot": senderVersion(management.DecodeTakeCanisterSnapshotArgs,
		func(a management.TakeSnapshotArg) *uint64 { return a.SenderCanisterVersion }),
	"load_canister_snapshot": senderVersion(management.DecodeLoadCanisterSnapshotArgs,
		func(a management.LoadSnapshotArg) *uint64 { return a.SenderCanisterVersion }),
}

func senderVersion[A any](decode func([]byte) (A, error), version func(A) *uint64) func([]byte) *uint64 {
	return func(arg []byte) *uint64 {
		a, err := decode(arg)
		if err != nil {
			return nil // the method itself says so
		}
		return version(a)
	}
}

// checkSenderVersion refuses a canister that states another version than its own.
func (m *managementCall) checkSenderVersion() *reject.Error {
	decode := senderVersions[m.req.Method]
	if m.req.Origin.Kind != fromCanister || decode == nil {
		return nil
	}
	if stated := decode(m.req.Arg); stated != nil && *stated != m.req.SenderVersion {
		return failed(m.req.Origin, reject.New(reject.ContractViolation, "Management canister call payload includes sender canister version %d "+
			"that does not match the actual sender canister version %d.", *stated, m.req.SenderVersion)).Err
	}
	return nil
}

// authorize finds the canister that a call is about and decides whether the caller may make it.
func (n *Subnet) authorize(method managementMethod, req *call) (*canister, *reject.Error) {
	fromUser := req.Origin.Kind != fromCanister
	if method.access == byCanisters && fromUser {
		return nil, onlyCanisters(req.Method)
	}
	if method.read != nil && !fromUser {
		if err := method.read(req.Arg); err != nil {
			return nil, unreadable(req.Method, req.Arg, err)
		}
	}
	if method.target == nil {
		return nil, nil
	}
	id, err := method.target(req.Arg)
	switch {
	case err != nil && fromUser:
		return nil, badPayload(req.Method, req.Arg, err)
	case err != nil:
		return nil, unreadable(req.Method, req.Arg, err)
	}
	c := n.state.Canisters[id]
	if c == nil {
		if fromUser {
			return nil, NotFound(id)
		}
		return nil, unroutable(req.Method, fmt.Sprintf("SubnetNotFound(CanisterId(%s), %s)", id, routedAs(req.Method)))
	}
	return c, method.access.check(c, req)
}

// check refuses callers who may not call a method about a canister.
func (a access) check(c *canister, req *call) *reject.Error {
	who := req.Caller
	switch a {
	case byAnyone, byCanisters:
		return nil
	case byLogReaders:
		if req.Origin.Kind == fromUser {
			return reject.New(reject.CanisterRejectedMessage, "%s API is not accessible via ingress in replicated mode", req.Method)
		}
		if !c.isController(who) && !c.Settings.LogVisibility.allows(who) {
			return reject.New(reject.CanisterRejectedMessage, "Caller %s is not allowed to access canister logs", who)
		}
		return nil
	case byStatusReaders:
		if c.isController(who) || who == c.ID || c.Settings.StatusVisibility.allows(who) {
			return nil
		}
		return reject.New(reject.CanisterStatusAccessDenied, "Caller %s is not allowed to access the status of canister %s", who, c.ID)
	case byShotReaders:
		if c.isController(who) || c.Settings.SnapshotVisibility.allows(who) {
			return nil
		}
		name := req.Method
		if name == "read_canister_snapshot_metadata" && req.Origin.Kind == fromCanister {
			name = "read read_canister_snapshot_metadata snapshot metadata" // so production writes it
		}
		return reject.New(reject.CanisterRejectedMessage, "Caller %s is not allowed to call %s", who, name)
	case byOperators:
		if who == c.ID && req.Method == "delete_canister" {
			return nil // it is told that it cannot do that, whoever controls it
		}
	case bySelf:
		if who == c.ID {
			return nil
		}
	}
	if c.isController(who) {
		return nil
	}
	if req.Origin.Kind == fromCanister || a == byOperators {
		return notController(c, who)
	}
	return reject.New(reject.InvalidController, "Only controllers of canister %s can call ic00 method %s", c.ID, req.Method)
}

// queryManagement answers a query of the management canister.
func (n *Subnet) queryManagement(q Query) ([]byte, *reject.Error) {
	method, ok := managementMethods[q.Method]
	switch {
	case !ok || !n.switchedOn(q.Method):
		return nil, noSuchMethod(q.Method)
	case !method.query:
		return nil, reject.New(reject.MethodNotFound, "Query method %s not found.", q.Method)
	}
	// A query has no origin: it is neither an ingress message nor a call of a canister.
	req := &call{Caller: q.Caller, Method: q.Method, Arg: q.Arg}
	c, err := n.authorize(method, req)
	if err != nil {
		return nil, err
	}
	return method.run(&managementCall{Subnet: n, req: req}, c)
}

// by is the origin of a change that the call makes.
func (m *managementCall) by(version *uint64) change {
	by := change{User: m.req.Caller, FromCanister: m.req.Origin.Kind == fromCanister}
	if version != nil {
		by.CallerVersion, by.HasVersion = *version, true
	}
	return by
}

// invalid is the refusal of an argument that decodes but makes no sense.
func invalid(format string, args ...any) *reject.Error {
	return &reject.Error{Code: reject.InvalidManagementPayload, Message: fmt.Sprintf(format, args...)}
}
